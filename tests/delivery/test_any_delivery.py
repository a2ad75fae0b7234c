"""Any life of some deliveries, on real databases: crossings, failures, kills, people who send again.

What the receivers saw is held against a model that knows only what was committed and what each call did.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescore.delivery.automations import run_automations
from rescore.errors import ReceiverRefused
from rescore.ledger import tables
from rescore.ledger.outbox import breakers, dead_letters
from rescore.ledger.outbox.dead_letters import Chosen
from rescore.outcome import Outcome
from rescore.rules.actions import CrmTask, Deliver, Email, Webhook
from tests.ledger.world import MQL, World, a_card
from tests.support import databases

LEADS = ("crm:1", "crm:2")
DOES = (
    Webhook("hook"),
    CrmTask("crm", "Call {lead_id}: {score}", 2),
    Email("smtp", ("a@example.com",), "s", "{score}"),
)
CARD = a_card(replace(MQL, actions=DOES, deliver=Deliver("UTC", (7 * 60, 20 * 60), expires=24 * 7)))

EFFECT = {"ok", "unknown", "killed after"}
"""What a call may come to although it had its effect."""

FATES = st.sampled_from(
    [
        *["ok"] * 4,
        *["killed after"] * 3,
        *["unknown"] * 2,
        *["killed before", "transient", "unknown without", "record", "auth", "quota", "unready", "gone"],
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("score"), st.sampled_from(LEADS), st.sampled_from([0, 84, 100, 150])),
        st.tuples(st.just("send"), st.lists(FATES, max_size=6), st.integers(0, 30)),
        st.tuples(st.just("send"), st.lists(FATES, max_size=6), st.integers(0, 30)),
        st.tuples(
            st.just("person"), st.sampled_from(["retry", "discard", "replay", "close"]), st.integers(0, 5)
        ),
    ),
    min_size=6,
    max_size=20,
)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Receivers:
    """All receivers in one: what each id did there, and what the calls to come will come to."""

    fates: list[str] = field(default_factory=list)
    effects: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, bytes] = field(default_factory=dict)
    forgiven: Counter[str] = field(default_factory=Counter)

    def send(self, claim, *, now) -> Outcome:
        assert self.bodies.setdefault(claim.delivery_id, claim.body) == claim.body
        if claim.kind == "email" and claim.uncertain:
            return Outcome("unknown", "it may have gone out")
        fate = self.fates.pop(0) if self.fates else "ok"
        if claim.kind == "crm_task" and self.effects[claim.delivery_id]:
            return Outcome("ok", "found")  # looked up by its id
        if fate in EFFECT:
            self.effects[claim.delivery_id] += 1
        if fate.startswith("killed"):
            raise Killed
        return Outcome(fate.removesuffix(" without"), fate)


def send(world: World, receivers: Receivers) -> None:
    kinds = {action.kind: receivers for action in DOES}
    try:
        run_automations(world.ledger, kinds, now=world.tick(), worker="w")
    except (Killed, ReceiverRefused):
        return


def person(world: World, receivers: Receivers, what: str, which: int) -> None:
    rows = sorted(world.rows(tables.delivery, "delivery_id", "state"))
    with world.ledger.transaction() as connection:
        if what == "close":
            for breaker in breakers.all_of_them(connection):
                breakers.close(connection, breaker.connection, "anna")
        elif rows:
            chosen, how = Chosen(ids=[rows[which % len(rows)][0]]), {"at": world.tick(), "by": "anna"}
            if what == "discard":
                dead_letters.discard(connection, chosen, reason="enough", **how)
            elif what == "retry":
                if dead_letters.retry(connection, chosen, **how)["again"]:
                    receivers.forgiven[rows[which % len(rows)][0]] += 1  # a person has looked
            else:
                dead_letters.replay(connection, chosen, **how)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_one_delivery_each_with_one_body_and_what_arrived_is_what_receivers_saw(ledger, steps):
    databases.empty(ledger)
    world, receivers = World(ledger, card=CARD), Receivers()
    world.first_load(**dict.fromkeys(LEADS, 0))
    world.score(**dict.fromkeys(LEADS, 120))
    frozen: dict[str, bytes] = {}
    for verb, *what in steps:
        if verb == "score":
            world.score(**{what[0]: what[1]})
        elif verb == "send":
            world.now += timedelta(hours=what[1])
            receivers.fates = list(what[0])
            send(world, receivers)
        else:
            person(world, receivers, *what)
        for name, body in world.rows(tables.delivery, "delivery_id", "body"):
            assert frozen.setdefault(name, bytes(body)) == bytes(body)

    receivers.fates = []
    for _ in range(12):  # everything is well again, and people close what stays shut
        person(world, receivers, "close", 0)
        world.now += timedelta(hours=11)
        send(world, receivers)

    fired = world.rows(tables.crossing, "lead", "n", "outcome")
    deliveries = world.rows(tables.delivery, "delivery_id", "lead", "n", "action", "kind", "state")
    expected = {(lead, n, action) for lead, n, _ in fired for action in range(len(DOES))}
    assert {(lead, n, action) for _, lead, n, action, _, _ in deliveries} == expected
    assert len(deliveries) == len(expected)
    calls = Counter(
        name for name, outcome in world.rows(tables.attempt, "delivery_id", "outcome") if outcome != "again"
    )
    for name, _, _, _, kind, state in deliveries:
        assert state in ("delivered", "parked", "expired", "discarded")
        if state == "delivered":
            assert receivers.effects[name] >= 1
            assert receivers.bodies[name] == frozen[name]
        assert receivers.effects[name] <= calls[name], "an effect without an attempt on record"
        if kind == "crm_task":
            assert receivers.effects[name] <= 1
        if kind == "email":
            assert receivers.effects[name] <= 1 + receivers.forgiven[name]
