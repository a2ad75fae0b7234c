"""What a person does about deliveries: send again, give up, replay; nothing is ever created twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from rescore.automations.state_machine import Restraint
from rescore.ledger import tables
from rescore.ledger.automations.replays import replay_suppressed
from rescore.ledger.outbox import breakers, dead_letters, deliveries
from rescore.ledger.outbox.dead_letters import Chosen
from rescore.ledger.outbox.deliveries import DeliveryResult
from rescore.outcome import Outcome
from rescore.rules.actions import Email, Webhook
from tests.ledger.world import MINUTE, World, a_card, an_automation, when

ALL = Chosen()
DAY = timedelta(days=1)
MQL = an_automation("mql", when(score={"at_least": 100}), when(score={"below": 85}))


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger, card=a_card(MQL))
    world.first_load(**{"crm:1": 0, "crm:2": 0})
    return world


def attempt(world, *kinds: str) -> None:
    """One call for each delivery that is due, with these outcomes."""
    with world.ledger.transaction() as connection:
        claims = deliveries.claim(connection, worker="w", now=world.tick(), lease=MINUTE, limit=9)
        for claim, kind in zip(claims, kinds, strict=True):
            deliveries.settle(connection, [DeliveryResult(claim, Outcome(kind, kind))], now=world.now)


def do(world, what, chosen=ALL, **how):
    with world.ledger.transaction() as connection:
        return dict(what(connection, chosen, at=world.tick(), by="anna", **how))


def states(world):
    return world.rows(tables.delivery, "state", "reason")


def test_a_parked_delivery_is_sent_again_as_if_for_the_first_time_and_who_said_so_is_on_record(world):
    world.score(**{"crm:1": 120})
    attempt(world, "record")
    before = world.rows(tables.delivery, "delivery_id", "body")
    assert do(world, dead_letters.retry, dry_run=True) == {"again": 1}
    assert states(world) == [("parked", "record")]
    assert do(world, dead_letters.retry) == {"again": 1}
    assert states(world) == [("due", "sent again by anna")]
    attempt(world, "ok")
    assert world.rows(tables.delivery, "delivery_id", "body") == before
    assert ("again", "sent again by anna") in world.rows(tables.attempt, "outcome", "detail")


def test_what_arrived_is_not_retried_and_what_somebody_is_sending_is_left_to_them(world):
    world.score(**{"crm:1": 120})
    attempt(world, "ok")
    world.score(**{"crm:2": 120})
    with world.ledger.transaction() as connection:
        deliveries.claim(connection, worker="w", now=world.now, lease=MINUTE, limit=1)
    assert do(world, dead_letters.retry) == {"delivered": 1, "being sent": 1}
    assert do(world, dead_letters.discard, reason="enough") == {"already delivered": 1, "being sent": 1}
    with world.ledger.reading() as connection:
        ids = connection.scalars(select(tables.delivery.c.delivery_id)).all()
        standing = dead_letters.standing(connection, [*ids, "nope"])
    assert sorted(standing.values()) == ["being sent", "delivered"]


def test_what_was_given_up_already_is_not_counted_as_given_up_now(world):
    world.score(**{"crm:1": 120})
    do(world, dead_letters.discard, reason="a test lead")
    assert do(world, dead_letters.discard, reason="once more") == {"already discarded": 1}


def test_what_is_discarded_says_who_and_why_and_is_not_sent(world):
    world.score(**{"crm:1": 120})
    assert do(world, dead_letters.discard, reason="a test lead") == {"discarded": 1}
    assert states(world) == [("discarded", "discarded by anna: a test lead")]
    with world.ledger.transaction() as connection:
        assert deliveries.claim(connection, worker="w", now=world.now + DAY, lease=MINUTE, limit=9) == []
    assert states(world) == [("discarded", "discarded by anna: a test lead")]


MAIL = an_automation("mail", when(score={"at_least": 100}))


@pytest.fixture
def mixed(ledger) -> World:
    """A crossing with a webhook and an e-mail."""
    actions = (Webhook("hook"), Email("smtp", ("sales@example.com",), "Hot", "{score}"))
    world = World(ledger, card=a_card(replace(MAIL, actions=actions)))
    world.first_load(**{"crm:1": 0})
    world.score(**{"crm:1": 120})
    return world


def test_a_replay_repeats_what_receivers_can_tell_by_the_id_and_leaves_e_mail_alone(mixed):
    attempt(mixed, "ok", "ok")
    span = Chosen(automation="mail", since=mixed.now - DAY, until=mixed.now + DAY)
    assert do(mixed, dead_letters.replay, span, dry_run=True) == {"again": 1, "seen twice": 1}
    ids = mixed.rows(tables.delivery, "delivery_id")
    assert do(mixed, dead_letters.replay, span) == {"again": 1, "seen twice": 1}
    assert mixed.rows(tables.delivery, "kind", "state") == [("email", "delivered"), ("webhook", "due")]
    assert mixed.rows(tables.delivery, "delivery_id") == ids


def test_a_replay_is_of_its_span_of_time(mixed):
    attempt(mixed, "ok", "ok")
    later = Chosen(automation="mail", since=mixed.now + MINUTE, until=mixed.now + DAY)
    assert do(mixed, dead_letters.replay, later) == {}


def test_a_replay_leaves_alone_what_a_person_discarded(world):
    world.score(**{"crm:1": 120})
    do(world, dead_letters.discard, reason="a test lead")
    assert do(world, dead_letters.replay, Chosen(automation="mql")) == {"discarded": 1}
    assert states(world) == [("discarded", "discarded by anna: a test lead")]
    assert do(world, dead_letters.retry, Chosen(states=["discarded"])) == {"again": 1}


def test_an_e_mail_whose_fate_is_unknown_is_parked_and_only_a_person_lets_it_go_again(mixed):
    attempt(mixed, "unknown", "unknown")
    assert mixed.rows(tables.delivery, "kind", "state") == [("email", "parked"), ("webhook", "due")]
    span = Chosen(automation="mail", since=mixed.now - DAY, until=mixed.now + DAY)
    assert do(mixed, dead_letters.replay, span) == {"seen twice": 1, "due": 1}
    assert do(mixed, dead_letters.retry, Chosen(states=["parked"])) == {"again": 1}
    with mixed.ledger.transaction() as connection:
        claims = deliveries.claim(connection, worker="w", now=mixed.now + DAY, lease=MINUTE, limit=9)
    assert {claim.kind: claim.uncertain for claim in claims} == {"email": False, "webhook": True}


def test_a_retry_of_what_is_due_says_nothing_of_an_e_mail_whose_sender_died(mixed):
    with mixed.ledger.transaction() as connection:
        deliveries.claim(connection, worker="killed", now=mixed.tick(), lease=MINUTE, limit=9)
    mixed.now += DAY
    with mixed.ledger.transaction() as connection:
        connection.execute(update(tables.delivery).values(lease_by=None, lease_until=None))
    assert do(mixed, dead_letters.retry, Chosen(states=["due"])) == {"again": 2}
    with mixed.ledger.transaction() as connection:
        claims = deliveries.claim(connection, worker="w", now=mixed.now + DAY, lease=MINUTE, limit=9)
    assert {claim.kind: claim.uncertain for claim in claims} == {"email": True, "webhook": True}


def suppressed(world, **how):
    with world.ledger.transaction() as connection:
        return dict(
            replay_suppressed(
                connection,
                world.card,
                "mql",
                since=world.now - DAY,
                until=world.now + DAY,
                at=world.tick(),
                by="anna",
                **how,
            )
        )


def test_suppressed_crossings_fire_after_all_where_they_are_still_true_and_only_once(world):
    run = world.stage(world.start(), {"crm:1": 120, "crm:2": 130})
    world.promote(run, restrained={"mql": Restraint("quiet")})
    world.score(**{"crm:2": 90})
    assert suppressed(world, dry_run=True) == {"fired": 1, "no longer true": 1}
    assert world.rows(tables.delivery) == []
    assert suppressed(world) == {"fired": 1, "no longer true": 1}
    assert world.rows(tables.crossing, "lead", "outcome", "reason") == [
        ("crm:1", "fired", "replayed by anna; was: quiet"),
        ("crm:2", "suppressed", "quiet"),
    ]
    assert suppressed(world) == {"no longer true": 1}
    assert len(world.rows(tables.delivery)) == 1


def test_a_suppressed_crossing_that_another_arming_has_overtaken_stays_as_it_is(world):
    run = world.stage(world.start(), {"crm:1": 120})
    world.promote(run, restrained={"mql": Restraint("quiet")})
    world.score(**{"crm:1": 0})
    world.score(**{"crm:1": 120})
    assert suppressed(world) == {"overtaken": 1}
    assert len(world.rows(tables.delivery)) == 1


def test_who_mends_a_spent_quota_and_closes_its_breaker_need_not_wait_for_the_reset(world):
    world.score(**{"crm:1": 120})
    spent = Outcome("quota", "the day's calls are used up", retry_after=36_000)
    with world.ledger.transaction() as connection:
        [claim] = deliveries.claim(connection, worker="w", now=world.tick(), lease=MINUTE, limit=9)
        deliveries.settle(connection, [DeliveryResult(claim, spent)], now=world.now)
    with world.ledger.transaction() as connection:
        assert deliveries.claim(connection, worker="w", now=world.tick(), lease=MINUTE, limit=9) == []
        assert breakers.close(connection, claim.connection, "anna")
        again = deliveries.claim(connection, worker="w", now=world.tick(), lease=MINUTE, limit=9)
    assert [(each.delivery_id, each.tries) for each in again] == [(claim.delivery_id, 0)]
