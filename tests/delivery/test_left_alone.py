"""A CRM that fails, or whose quota is spent, is left alone by every worker, and what waits is told."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.base import WriteResult
from rescore.connectors.hubspot import Limits
from rescore.connectors.memory import MemoryCrm
from rescore.delivery.backlog import Backlog
from rescore.delivery.crm import LEASE, update_crm
from rescore.delivery.readback import OVERLAP
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable, SettingsIncomplete
from rescore.ledger import tables
from rescore.ledger.outbox import breakers
from tests.ledger.world import MINUTE

HOUR = 60 * MINUTE


@pytest.fixture
def told():
    return []


@pytest.fixture
def deliver(world, crm, mapping, told):
    def deliver(target=crm, after=MINUTE):
        world.now += after
        return dict(
            update_crm(world.ledger, target, mapping=mapping, now=world.now, worker="w", progress=told.append)
        )

    return deliver


def tries(world):
    return {row[0]: row[1] for row in world.rows(tables.sync, "lead", "tries")}


class TestBreaker:
    """Kept in the ledger, so that no worker finds out for itself what others know."""

    @pytest.fixture
    def down(self, crm, deliver):
        crm.failures += [CrmUnavailable("crm does not answer")] * 99
        crm.batch_size = 1
        with pytest.raises(CrmUnavailable):
            deliver()

    def test_another_worker_makes_no_call_and_says_why_and_how_long(self, world, crm, down, deliver, told):
        left = len(crm.failures)
        told.clear()
        assert deliver(after=timedelta(0)) == {"stopped": 1, "deferred": 3}
        assert len(crm.failures) == left
        assert told == [
            "crm: `crm` is left alone until 2026-11-02 09:04 UTC: crm does not answer",
            "crm: complete for priority 1, 3 deferred, ETA 09:04 UTC",
        ]

    def test_one_call_is_tried_when_the_pause_is_over(self, crm, down, deliver):
        left = len(crm.failures)
        with pytest.raises(CrmUnavailable):
            deliver(after=2 * MINUTE)
        assert len(crm.failures) == left - 1
        crm.failures.clear()
        assert deliver() == {"stopped": 1, "deferred": 3}
        assert deliver(after=5 * MINUTE)["acknowledged"] == 3

    def test_an_outage_parks_nobody_however_long_it_lasts(self, world, down, deliver):
        for _ in range(60):
            with pytest.raises(CrmUnavailable):
                deliver(after=HOUR)
        assert {row[0] for row in world.rows(tables.sync, "state")} == {"due"}
        assert max(tries(world).values()) == 1

    def test_wrong_credentials_burn_no_try_and_fail_one_task(self, world, crm, deliver):
        crm.failures.append(CrmRejectedCredentials("wrong token"))
        with pytest.raises(CrmRejectedCredentials):
            deliver()
        assert deliver() == {"stopped": 1, "deferred": 3}
        assert set(tries(world).values()) == {0}

    def test_who_mends_it_need_not_wait(self, world, crm, deliver):
        crm.failures.append(CrmRejectedCredentials("wrong token"))
        with pytest.raises(CrmRejectedCredentials):
            deliver()
        with world.ledger.transaction() as connection:
            breakers.close(connection, crm.name, "ada")
        assert deliver() == {"acknowledged": 3, "batches": 2}

    def test_a_host_that_is_not_allowed_is_an_error_at_once_and_nothing_is_lost(self, world, crm, deliver):
        crm.failures.append(SettingsIncomplete("add crm.example.com to RESCORE_ALLOWED_HOSTS"))
        with pytest.raises(SettingsIncomplete):
            deliver()
        assert deliver() == {"acknowledged": 3, "batches": 2}


class TestQuota:
    """A day's quota is spent on what matters most, and the rest is put off in so many words."""

    def test_lower_priorities_wait_while_their_share_is_spent(self, world, crm, deliver, told):
        deliver()
        world.score(**{"crm:1": 60, "crm:2": 21, "crm:3": 31})
        crm.rooms = {2: 3600.0, 3: 3600.0}
        crm.call_seconds = 60.0
        told.clear()
        assert deliver() == {"acknowledged": 1, "batches": 1, "deferred": 2, "stopped": 1}
        assert crm.shown["1"]["my_score"] == 60
        assert told[-1] == "crm: complete for priority 1, 2 deferred, ETA 10:06 UTC"
        crm.rooms.clear()
        assert deliver() == {"acknowledged": 2, "batches": 1}

    def test_nothing_goes_when_all_of_it_is_spent(self, world, crm, deliver):
        crm.rooms = {1: 3600.0, 2: 3600.0, 3: 3600.0}
        assert deliver() == {"deferred": 3, "stopped": 1}
        assert crm.writes == 0

    def test_a_limit_that_the_crm_names_holds_for_every_worker(self, crm, deliver):
        crm.failures.append(CrmRateLimited("daily limit", retry_after=7200))
        with pytest.raises(CrmRateLimited):
            deliver()
        assert deliver(after=119 * MINUTE) == {"stopped": 1, "deferred": 3}
        assert deliver(after=2 * MINUTE) == {"acknowledged": 3, "batches": 2}


NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "until", "line"),
    [
        pytest.param({}, None, "complete", id="nothing"),
        pytest.param(
            {3: 38_000},
            NOW + 2 * MINUTE,
            "complete for priority 1-2, 38,000 deferred, ETA 23:32 UTC",
            id="drift",
        ),
        pytest.param(
            {2: 2, 3: 1},
            NOW + HOUR,
            "complete for priority 1, 3 deferred, ETA 2026-11-23 00:30 UTC",
            id="scores",
        ),
        pytest.param(
            {1: 1, 2: 1}, NOW, "complete for no priority, 2 deferred, ETA 23:30 UTC", id="band changes"
        ),
        pytest.param(
            {2: 1},
            None,
            "complete for priority 1, 1 deferred, ETA unknown: a person has to close the breaker",
            id="nobody knows",
        ),
    ],
)
def test_what_is_left_is_told_in_one_line(due, until, line):
    assert Backlog(due, until).told(NOW) == line


class TestRecords:
    """One record never takes others with it, and an answer that does not fit says nothing."""

    def test_a_record_at_which_the_crm_fails_stands_alone_in_the_end(self, world, crm, deliver):
        """Whatever the others do, only the record itself is parked."""

        class Stumbling(MemoryCrm):
            def write(self, updates):
                if any(update.lead_id == "2" for update in updates):
                    raise CrmUnavailable("500")
                return crm.write(updates)

        stumbling = Stumbling("crm", batch_size=3)
        for _ in range(12):
            crm.put_lead("4", {})
            world.score(**{"crm:4": world.started})  # somebody else is written every time
            try:
                deliver(stumbling, after=12 * HOUR)
            except CrmUnavailable:
                continue
        assert {row[0]: row[1] for row in world.rows(tables.sync, "lead", "state")} == {
            "crm:1": "settled",
            "crm:2": "parked",
            "crm:3": "settled",
            "crm:4": "settled",
        }

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda results: results[:-1], id="one too few"),
            pytest.param(lambda results: [*results, WriteResult("9", "ok")], id="one too many"),
            pytest.param(lambda results: [results[0]] * len(results), id="one twice"),
            pytest.param(lambda results: [], id="none"),
        ],
    )
    def test_an_answer_of_another_length_leaves_everything_unknown(self, world, crm, deliver, spoil):
        class Odd(MemoryCrm):
            def write(self, updates):
                return spoil(crm.write(updates))

        counts = deliver(Odd("crm", batch_size=3))
        assert counts == {"deferred": 3, "batches": 1}
        assert {row[0] for row in world.rows(tables.sync, "failure")} == {"unknown"}
        assert deliver(after=HOUR) == {"acknowledged": 3, "batches": 2}


def test_a_lease_is_longer_than_any_write_and_shorter_than_what_is_read_back():
    longest = timedelta(seconds=Limits().longest_write)
    assert longest < LEASE
    assert max(LEASE, 2 * longest) < OVERLAP
