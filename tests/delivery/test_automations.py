"""Crossings reach their receivers: each delivery under one id, whatever happens on the way."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from rescore.connectors.session import Session
from rescore.delivery.automations import run_automations
from rescore.delivery.webhook import Endpoint, WebhookSender
from rescore.errors import ReceiverRefused
from rescore.ledger import tables
from rescore.ledger.outbox import breakers
from rescore.ledger.rules import activations
from rescore.rules.actions import CrmTask
from tests.connectors.pretend_server import Asked, PretendServer, Reply
from tests.ledger.world import World, a_card, an_automation, when

SECRET = "whsec_" + "c2FuZGJveC1zZWNyZXQtMDAwMDAwMDAw"


class Receiver:
    """Keeps each webhook-id once, as Standard Webhooks asks, and counts how often it came."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.replies: list[Reply] = []

    def __call__(self, asked: Asked) -> Reply:
        reply = self.replies.pop(0) if self.replies else Reply(204)
        if reply.status < 300 or reply.raw is not None:
            self.times[asked.headers["webhook-id"]] += 1
            self.bodies.setdefault(asked.headers["webhook-id"], asked.body)
            assert self.bodies[asked.headers["webhook-id"]] == asked.body
        return reply


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def server(receiver) -> Iterator[PretendServer]:
    with PretendServer(receiver) as server:
        yield server


@pytest.fixture
def endpoints(server) -> dict[str, Endpoint]:
    return {"hook_0": Endpoint(server.url + "/hook", SECRET)}


@pytest.fixture
def crossed(world) -> World:
    """Two leads have crossed."""
    world.score(**{"crm:1": 120, "crm:2": 130})
    return world


def run(world, endpoints, **later):
    world.now += timedelta(**later)
    sender = WebhookSender(endpoints, Session(seconds=2))
    return dict(run_automations(world.ledger, {"webhook": sender}, now=world.tick(), worker="w"))


def test_each_crossing_arrives_once_and_a_second_run_sends_nothing(crossed, receiver, endpoints):
    assert run(crossed, endpoints) == {"delivered": 2}
    assert list(receiver.times.values()) == [1, 1]
    assert run(crossed, endpoints) == {}
    assert len(receiver.times) == 2


def test_what_fails_is_sent_again_under_the_same_id_with_the_same_body(crossed, receiver, endpoints):
    receiver.replies = [Reply(500), Reply(204)]
    assert run(crossed, endpoints) == {"deferred": 1, "delivered": 1}
    assert run(crossed, endpoints) == {"delivered": 1}
    assert sorted(receiver.times.values()) == [1, 1]


def test_a_connection_cut_after_the_effect_is_unknown_and_the_receiver_tells_by_the_id(
    crossed, receiver, endpoints
):
    receiver.replies = [Reply(raw=b"")]
    assert run(crossed, endpoints) == {"deferred": 1, "delivered": 1}
    assert "unknown" in [outcome for (outcome,) in crossed.rows(tables.attempt, "outcome")]
    run(crossed, endpoints)
    assert sorted(receiver.times.values()) == [1, 2]
    assert {state for (state,) in crossed.rows(tables.delivery, "state")} == {"delivered"}


def test_a_receiver_that_is_gone_is_left_alone_for_good_and_what_was_due_to_it_is_parked(
    crossed, receiver, endpoints
):
    receiver.replies = [Reply(410)]
    assert run(crossed, endpoints) == {"parked": 2}
    assert all("410" in reason for (reason,) in crossed.rows(tables.delivery, "reason"))
    crossed.score(**{"crm:3": 140})
    assert run(crossed, endpoints, days=300) == {"left alone": 1}
    with crossed.ledger.transaction() as connection:
        assert breakers.close(connection, "hook_0", "anna")
    assert run(crossed, endpoints) == {"delivered": 1}


def test_a_receiver_that_refuses_our_signature_fails_the_task_once_and_burns_no_try(
    crossed, receiver, endpoints
):
    receiver.replies = [Reply(401)]
    with pytest.raises(ReceiverRefused, match="connection `hook_0` refuses our signature"):
        run(crossed, endpoints)
    assert crossed.rows(tables.delivery, "state", "tries") == [("due", 0)] * 2
    assert run(crossed, endpoints) == {"left alone": 2}
    assert run(crossed, endpoints, hours=2) == {"delivered": 2}


def test_the_pause_a_receiver_asks_for_is_kept(crossed, receiver, endpoints):
    receiver.replies = [Reply(429, headers={"Retry-After": "7200"})] * 2
    assert run(crossed, endpoints) == {"deferred": 2}
    assert run(crossed, endpoints, hours=1) == {}
    assert run(crossed, endpoints, hours=1) == {"delivered": 2}


def test_a_receiver_that_asks_for_no_pause_is_still_asked_once_a_run(crossed, receiver, endpoints):
    receiver.replies = [Reply(503, headers={"Retry-After": "0"})] * 2
    assert run(crossed, endpoints) == {"deferred": 2}
    assert run(crossed, endpoints) == {"delivered": 2}


def test_a_missing_connection_keeps_its_deliveries_and_putting_it_right_is_enough(crossed, endpoints):
    assert run(crossed, {}) == {"unready": 2}
    assert crossed.rows(tables.delivery, "state", "tries") == [("due", 0)] * 2
    reasons = {reason for (reason,) in crossed.rows(tables.delivery, "reason")}
    assert reasons == {"connection `hook_0` is missing or does not allow Rescore to send to it"}
    assert run(crossed, endpoints, minutes=10) == {"delivered": 2}


def test_a_receiver_that_stays_down_is_left_alone_after_three_failures(world, receiver, endpoints):
    world.score(**{f"crm:{number}": 120 for number in range(20)})
    receiver.replies = [Reply(503)] * 100
    assert run(world, endpoints) == {"deferred": 3, "left alone": 17}
    assert len(receiver.replies) == 97
    receiver.replies = []
    assert run(world, endpoints, hours=1) == {"delivered": 20}


def test_one_bad_receiver_does_not_block_another(ledger, receiver, server):
    world = World(ledger, card=a_card(an_automation("mql", when(score={"at_least": 100}), actions=2)))
    world.first_load(**{f"crm:{number}": 0 for number in range(8)})
    world.score(**{f"crm:{number}": 120 for number in range(8)})
    endpoints = {
        "hook_0": Endpoint("http://127.0.0.1:9/", SECRET),
        "hook_1": Endpoint(server.url, SECRET),
    }
    assert run(world, endpoints) == {"delivered": 8, "deferred": 3, "left alone": 5}


class Broken:
    """A sender that nobody expects to fail so; the texts of such errors may quote a secret."""

    def send(self, claim, *, now):
        raise LookupError("whsec_secret of crm:1")


def test_a_sender_that_breaks_keeps_back_nobody_elses_deliveries_and_fails_the_task_in_one_sentence(
    ledger, receiver, endpoints
):
    mql = an_automation("mql", when(score={"at_least": 100}))
    world = World(ledger, card=a_card(replace(mql, actions=(CrmTask("crm", "Call", due=1), *mql.actions))))
    world.first_load(**{"crm:1": 0, "crm:2": 0})
    world.score(**{"crm:1": 120, "crm:2": 120})
    senders = {"crm_task": Broken(), "webhook": WebhookSender(endpoints, Session(seconds=2))}
    lines: list[str] = []
    with pytest.raises(ReceiverRefused) as caught:
        run_automations(ledger, senders, now=world.tick(), worker="w", progress=lines.append)
    assert len(receiver.times) == 2
    outcomes = world.rows(tables.delivery, "kind", "state", "failure")
    assert sorted(outcomes) == [("crm_task", "due", "unknown")] * 2 + [("webhook", "delivered", None)] * 2
    said = str(caught.value)
    assert said.startswith("sending a `crm_task` through `crm` broke (LookupError at test_automations.py:")
    kept = [str(reason) for (reason,) in world.rows(tables.delivery, "reason")]
    assert "whsec_secret" not in "".join([said, *lines, *kept])


def test_a_paused_scorecard_sends_nothing(crossed, endpoints):
    with crossed.ledger.transaction() as connection:
        activations.pause(connection, "b2b", at=crossed.now, by="test")
    assert run(crossed, endpoints) == {}


def test_a_worker_killed_in_the_middle_leaves_an_unknown_attempt_and_the_next_one_sends_again(
    crossed, receiver, endpoints
):
    class Killed(Session):
        def send(self, *args, **kwargs):
            super().send(*args, **kwargs)
            raise KeyboardInterrupt

    sender = WebhookSender(endpoints, Killed(seconds=2))
    with pytest.raises(KeyboardInterrupt):
        run_automations(crossed.ledger, {"webhook": sender}, now=crossed.tick(), worker="w")
    assert crossed.rows(tables.attempt, "outcome") == [("unknown",)]
    assert run(crossed, endpoints, hours=1) == {"delivered": 2}
    assert sorted(receiver.times.values()) == [1, 2]
