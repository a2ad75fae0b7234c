"""The outbox: claimed by one worker at a time, settled with what was sent, retried on a known schedule."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rescore.ledger import tables
from rescore.ledger.outbox import deliveries, kept_back, syncs
from rescore.ledger.outbox.deliveries import DeliveryResult
from rescore.ledger.outbox.leases import backoff
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.rules import activations
from rescore.outcome import BACKOFF, Outcome
from tests.ledger.world import MINUTE, World

LEASE = 5 * MINUTE
OK, REFUSED = Outcome("ok"), Outcome("record", "locked by its owner")


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger)
    world.first_load(**{"crm:1": 0, "crm:2": 0})
    return world


def claim(world, *, limit=100, worker="w", at=None):
    with world.ledger.transaction() as connection:
        return syncs.claim(
            connection, target="crm", worker=worker, now=at or world.now, lease=LEASE, limit=limit
        )


def settle(world, *results, at=None):
    with world.ledger.transaction() as connection:
        return dict(syncs.settle(connection, results, now=at or world.now))


def claim_deliveries(world, *, at=None):
    with world.ledger.transaction() as connection:
        return deliveries.claim(connection, worker="w", now=at or world.now, lease=LEASE, limit=100)


def settle_deliveries(world, *results, at=None):
    with world.ledger.transaction() as connection:
        return dict(deliveries.settle(connection, results, now=at or world.now))


def sync(world):
    return world.rows(tables.sync, "lead", "want_ver", "acked_ver", "state", "tries")


class TestSyncs:
    """Scores to CRMs: the CRM should show the score of record, whatever happened on the way."""

    def test_a_claim_carries_the_committed_score_and_the_rules_that_gave_it(self, world):
        world.score(**{"crm:1": 120})
        first = claim(world)[0]
        assert (first.lead, first.score, first.band, first.ver) == ("crm:1", 120, "A", 2)
        assert first.dimensions == {"engagement": 120}
        assert first.reasons == [{"rule": "visit", "label": "Visit", "points": 5000}]
        assert first.rules_version == 1

    def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(self, world):
        assert len(claim(world)) == 2
        assert claim(world) == []
        assert claim(world, at=world.now + LEASE - timedelta(seconds=1)) == []
        assert len(claim(world, at=world.now + LEASE)) == 2

    def test_two_claims_never_share_a_lead(self, world):
        assert [c.lead for c in claim(world, limit=1) + claim(world, limit=1)] == ["crm:1", "crm:2"]

    def test_an_acknowledged_lead_is_settled_and_never_claimed_again(self, world):
        assert settle(world, *[SyncResult(c, OK) for c in claim(world)]) == {"acknowledged": 2}
        assert sync(world) == [("crm:1", 1, 1, "settled", 0), ("crm:2", 1, 1, "settled", 0)]
        assert claim(world, at=world.now + 100 * LEASE) == []

    @pytest.mark.parametrize("ok", [True, False], ids=["acknowledged", "refused"])
    def test_a_score_that_moved_while_it_was_sent_stays_due(self, world, ok):
        sent = claim(world)[0]
        world.score(**{"crm:1": 30})
        settle(world, SyncResult(sent, OK if ok else REFUSED))
        assert sync(world)[0] == ("crm:1", 2, 1 if ok else 0, "due", 0)
        assert [(c.lead, c.ver) for c in claim(world)] == [("crm:1", 2)]

    def test_a_settlement_under_a_lost_lease_changes_nothing(self, world):
        slow = claim(world, worker="slow")
        quick = claim(world, worker="slow", at=world.now + LEASE)  # the same name, another claim
        assert settle(world, *[SyncResult(c, OK) for c in slow]) == {"lost": 2}
        assert settle(world, *[SyncResult(c, OK) for c in quick]) == {"acknowledged": 2}

    def test_a_refused_lead_is_parked_until_its_score_changes(self, world):
        one, _ = claim(world)
        assert settle(world, SyncResult(one, REFUSED)) == {"parked": 1}
        assert claim(world, at=world.now + 1000 * LEASE)[0].lead == "crm:2"
        world.score(**{"crm:1": 60})
        assert claim(world)[0].lead == "crm:1"

    def test_one_bad_record_never_blocks_a_good_one(self, world):
        one, two = claim(world)
        results = [SyncResult(one, REFUSED), SyncResult(two, OK)]
        assert settle(world, *results) == {"parked": 1, "acknowledged": 1}

    def test_what_a_target_could_not_take_comes_back_after_the_wait(self, world):
        one = claim(world)[0]
        settle(world, SyncResult(one, Outcome("transient", "500")))
        assert sync(world)[0] == ("crm:1", 1, 0, "due", 1)
        assert claim(world, at=world.now + timedelta(seconds=4)) == []
        assert [(c.lead, c.tries) for c in claim(world, at=world.now + timedelta(seconds=6))] == [
            ("crm:1", 1)
        ]

    def test_the_wait_a_target_asks_for_wins(self, world):
        settle(world, SyncResult(claim(world)[0], Outcome("transient", "429", retry_after=90)))
        assert claim(world, at=world.now + timedelta(seconds=89)) == []
        assert len(claim(world, at=world.now + timedelta(seconds=90))) == 1

    def test_a_released_claim_is_due_at_once_and_spent_no_try(self, world):
        claims = claim(world)
        with world.ledger.transaction() as connection:
            syncs.release(connection, claims)
        assert [c.tries for c in claim(world)] == [0, 0]

    def test_the_shadow_holds_what_would_be_sent_until_the_scorecard_goes_live(self, world):
        def set_modes(*live):
            with world.ledger.transaction() as connection:
                return dict(kept_back.set_modes(connection, "crm", live=live))

        assert set_modes("another") == {"shadow": 2}
        assert set_modes("another") == {}
        assert claim(world) == []
        assert set_modes("another", "b2b") == {"due": 2}
        assert len(claim(world)) == 2

    def test_a_paused_scorecard_sends_nothing(self, world):
        with world.ledger.transaction() as connection:
            activations.pause(connection, "b2b", at=world.now, by="test")
        assert claim(world) == []


class TestDeliveries:
    """Crossings to receivers: the same id and bytes, until somebody said yes or a person must look."""

    @pytest.fixture
    def crossed(self, world) -> World:
        world.score(**{"crm:1": 120})
        return world

    def test_the_attempt_is_on_record_before_the_call(self, crossed):
        [delivery] = claim_deliveries(crossed)
        with crossed.ledger.reading() as connection:
            [attempt] = deliveries.attempts(connection, delivery.delivery_id)
        assert (attempt.attempt_id, attempt.outcome, attempt.ended_at) == (
            delivery.attempt_id,
            "unknown",
            None,
        )

    def test_a_delivered_one_is_never_claimed_again(self, crossed):
        [delivery] = claim_deliveries(crossed)
        assert settle_deliveries(crossed, DeliveryResult(delivery, OK)) == {"delivered": 1}
        assert claim_deliveries(crossed, at=crossed.now + 1000 * LEASE) == []
        assert crossed.rows(tables.attempt, "outcome") == [("ok",)]

    @pytest.mark.parametrize("outcome", ["transient", "unknown"])
    def test_a_failed_one_is_sent_again_with_the_same_id_and_body(self, crossed, outcome):
        [first] = claim_deliveries(crossed)
        assert settle_deliveries(crossed, DeliveryResult(first, Outcome(outcome, "503"))) == {"deferred": 1}
        assert claim_deliveries(crossed, at=crossed.now + timedelta(seconds=4)) == []
        [again] = claim_deliveries(crossed, at=crossed.now + timedelta(seconds=6))
        assert (again.delivery_id, again.body, again.tries) == (first.delivery_id, first.body, 1)
        assert again.attempt_id != first.attempt_id

    def test_a_sender_that_died_leaves_an_unknown_attempt_and_the_next_one_sends_again(self, crossed):
        [first] = claim_deliveries(crossed)
        [again] = claim_deliveries(crossed, at=crossed.now + LEASE)
        assert again.body == first.body
        assert settle_deliveries(crossed, DeliveryResult(again, OK)) == {"delivered": 1}
        assert sorted(crossed.rows(tables.attempt, "outcome")) == [("ok",), ("unknown",)]

    def test_an_unready_connection_spends_no_try(self, crossed):
        [first] = claim_deliveries(crossed)
        assert settle_deliveries(
            crossed, DeliveryResult(first, Outcome("unready", "no such connection"))
        ) == {"unready": 1}
        [again] = claim_deliveries(crossed, at=crossed.now + 5 * MINUTE)
        assert again.tries == 0

    def test_a_refused_one_is_parked_with_the_reason(self, crossed):
        [delivery] = claim_deliveries(crossed)
        assert settle_deliveries(crossed, DeliveryResult(delivery, Outcome("record", "400"))) == {"parked": 1}
        assert crossed.rows(tables.delivery, "state", "reason") == [("parked", "400")]

    def test_after_the_last_wait_it_is_parked_and_says_so(self, crossed):
        now, said = crossed.now, []
        while claims := claim_deliveries(crossed, at=now):
            said.append(
                settle_deliveries(crossed, DeliveryResult(claims[0], Outcome("transient", "503")), at=now)
            )
            now += timedelta(hours=12)
        assert said == [{"deferred": 1}] * len(BACKOFF) + [{"parked": 1}]
        assert crossed.rows(tables.delivery, "reason") == [("gave up after 7 attempts: 503",)]

    def test_the_news_of_a_lost_lease_reaches_the_attempt_but_not_the_delivery(self, crossed):
        [slow] = claim_deliveries(crossed)
        claim_deliveries(crossed, at=crossed.now + LEASE)
        assert settle_deliveries(crossed, DeliveryResult(slow, Outcome("record", "400"))) == {"lost": 1}
        assert crossed.rows(tables.delivery, "state") == [("due",)]

    def test_one_that_was_cancelled_while_it_was_sent_is_still_known_to_have_arrived(self, crossed):
        [delivery] = claim_deliveries(crossed)
        crossed.adopt(replace(crossed.card, automations=()))
        assert crossed.rows(tables.delivery, "state") == [("cancelled",)]
        settle_deliveries(crossed, DeliveryResult(delivery, OK))
        assert crossed.rows(tables.delivery, "state") == [("delivered",)]


@pytest.mark.parametrize(
    ("tries", "wait"),
    [
        pytest.param(1, timedelta(seconds=5), id="first failure"),
        pytest.param(2, timedelta(minutes=5), id="second"),
        pytest.param(6, timedelta(hours=10), id="sixth"),
        pytest.param(60, timedelta(hours=10), id="all later ones"),
    ],
)
def test_waits_grow_and_spread_by_at_most_a_tenth(tries, wait):
    waits = {backoff(tries, key=str(key)) for key in range(100)}
    assert len(waits) > 50
    assert wait <= min(waits)
    assert max(waits) <= wait * 1.1
