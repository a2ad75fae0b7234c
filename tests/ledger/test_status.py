"""Status: every lead is settled or in exactly one named exception state, and every exception is counted."""

from datetime import timedelta

import pytest

from rescore.ledger.outbox import breakers, deliveries, syncs
from rescore.ledger.outbox.deliveries import DeliveryResult
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.rules import registry
from rescore.ledger.status import LEAD_STATES, status
from rescore.outcome import Outcome
from tests.ledger.world import MINUTE, World


@pytest.fixture
def world(ledger) -> World:
    return World(ledger)


def look(world):
    with world.ledger.reading() as connection:
        return status(connection, world.now)


def test_an_empty_ledger_has_a_status(world):
    assert dict(look(world).lines()) == dict.fromkeys(
        (
            *("deliveries unanswered", "rejected files", "open holds", "answers not carried out"),
            *("erasures not finished", "ambiguous persons", "left alone", "held after a restore"),
        ),
        0,
    )


def test_a_source_that_has_a_mapping_and_was_never_read_is_named(world):
    world.land("crm:1")
    with world.ledger.reading() as connection:
        now = status(connection, world.now, sources=["crm", "hubspot"])
    assert now.unread == ("hubspot",)
    assert dict(now.lines())["hubspot never read"] == 1


def test_every_lead_is_counted_once_in_the_state_that_says_most_about_it(world):
    names = ("settled", "parked", "deferred", "due", "moved", "outside", "dirty", "deleted")
    world.first_load(**{f"crm:{name}": None if name == "outside" else 120 for name in names})
    with world.ledger.transaction() as connection:
        claims = syncs.claim(connection, target="crm", worker="w", now=world.now, lease=MINUTE, limit=100)
        answers = {
            "crm:settled": Outcome("ok"),
            "crm:moved": Outcome("ok"),
            "crm:dirty": Outcome("ok"),
            "crm:parked": Outcome("record", "locked by its owner"),
            "crm:deferred": Outcome("transient", "not now"),
            "crm:deleted": Outcome("gone", "no such record"),
        }
        results = [SyncResult(claim, answers[claim.lead]) for claim in claims if claim.lead in answers]
        syncs.settle(connection, results, now=world.now)
    world.score(**{"crm:moved": 60})
    world.land("crm:dirty", "crm:new")
    [card] = look(world).scorecards
    assert card.leads == dict.fromkeys(LEAD_STATES, 0) | {
        "settled": 1,
        "parked": 1,
        "deferred": 1,
        "due": 2,
        "deleted": 1,
        "outside": 1,
        "dirty": 2,
    }
    assert sum(card.leads.values()) == len(names) + 1
    assert (card.scored, card.bands) == (7, {"A": 6, "B": 1})


def test_a_lead_shown_in_two_targets_counts_by_the_one_that_is_behind(world):
    world.targets = ("crm", "warehouse")
    world.join("crm:1", "warehouse:1")
    world.first_load(**{"crm:1": 1})
    with world.ledger.transaction() as connection:
        [claim] = syncs.claim(connection, target="crm", worker="w", now=world.now, lease=MINUTE, limit=9)
        syncs.settle(connection, [SyncResult(claim, Outcome("ok"))], now=world.now)
    seen = look(world)
    assert {name: count for name, count in seen.scorecards[0].leads.items() if count} == {"due": 1}
    assert seen.syncs == {"crm": {"settled": 1}, "warehouse": {"due": 1}}


def test_a_scorecard_without_a_target_owes_nobody(world):
    world.targets = ()
    world.first_load(**{"crm:1": 1})
    assert look(world).scorecards[0].leads["untargeted"] == 1


def test_deliveries_and_calls_under_way_are_counted(world):
    world.first_load(**{"crm:1": 1, "crm:2": 1})
    world.score(**{"crm:1": 120, "crm:2": 120})
    with world.ledger.transaction() as connection:
        first, _ = deliveries.claim(connection, worker="w", now=world.now, lease=MINUTE, limit=9)
        deliveries.settle(connection, [DeliveryResult(first, Outcome("ok"))], now=world.now)
    seen = look(world)
    assert (seen.deliveries, seen.delivered_today, seen.unanswered) == ({"delivered": 1, "due": 1}, 1, 1)


def test_a_call_that_nobody_heard_of_is_counted_until_the_delivery_is_confirmed(world):
    world.first_load(**{"crm:1": 1})
    world.score(**{"crm:1": 120})
    counted = []
    for kind in ("unknown", "ok"):
        world.now += timedelta(hours=1)
        with world.ledger.transaction() as connection:
            [claim] = deliveries.claim(connection, worker="w", now=world.now, lease=MINUTE, limit=9)
            deliveries.settle(connection, [DeliveryResult(claim, Outcome(kind))], now=world.now)
        counted.append(look(world).unanswered)
    assert counted == [1, 0]


def test_a_file_is_rejected_only_while_it_says_what_was_rejected(world):
    world.adopt()
    with world.ledger.transaction() as connection:
        registry.reject(
            connection,
            scorecard="b2b",
            sha256="0" * 64,
            body=b"broken",
            path="b2b.yaml",
            at=world.now,
            by="test",
            problems=["b2b.yaml:1:1: one", "b2b.yaml:2:1: two"],
        )
    [rejected] = look(world).rejected
    assert (rejected.path, rejected.problems) == ("b2b.yaml", ("b2b.yaml:1:1: one", "b2b.yaml:2:1: two"))
    world.adopt()
    assert look(world).rejected == ()


def test_the_last_runs_come_newest_first(world):
    world.first_load(**{"crm:1": 1})
    world.score(**{"crm:1": 2})
    runs = look(world).runs
    assert [run.kind for run in runs] == ["incremental", "initial"]
    assert runs[0].counts["changed"] == 1


def test_what_is_due_is_counted_by_priority_and_who_is_left_alone_is_named(world):
    world.first_load(**{"crm:1": 10, "crm:2": 20})
    with world.ledger.transaction() as connection:
        claims = syncs.claim(connection, target="crm", worker="w", now=world.now, lease=MINUTE, limit=9)
        syncs.settle(connection, [SyncResult(claim, Outcome("ok")) for claim in claims], now=world.now)
        breakers.note(connection, "crm", Outcome("quota", "daily limit", retry_after=600), world.now)
    world.score(**{"crm:1": 60, "crm:2": 21})
    seen = look(world)
    assert seen.due == {"crm": {1: 1, 2: 1}}
    assert [breaker.connection for breaker in seen.left_alone] == ["crm"]
    counts = dict(seen.lines())
    assert (counts["crm due priority 1"], counts["left alone"]) == (1, 1)
