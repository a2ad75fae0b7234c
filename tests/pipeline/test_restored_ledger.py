"""The ledger's database comes back from a backup: nothing is sent until it was held against the world."""

import pytest
from sqlalchemy import insert, select

from rescore.delivery.crm import update_crm
from rescore.errors import InputUnreadable
from rescore.ledger.outbox import restored
from rescore.ledger.tables import dirty, metadata, sync
from rescore.ledger.transaction import Ledger
from rescore.pipeline.reconcile import read_back
from rescore.pipeline.restore import notice_restore
from tests.support.main_job import Job


class Backup:
    """Every row of every table, as it was."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        with ledger.reading() as connection:
            self._rows = {
                table: [dict(row._mapping) for row in connection.execute(select(table))]
                for table in metadata.sorted_tables
            }

    def restore(self) -> None:
        empty(self._ledger)
        with self._ledger.transaction() as connection:
            for table, rows in self._rows.items():
                if rows:
                    connection.execute(insert(table), rows)


def empty(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def lost(job: Job) -> Job:
    """Ada crossed and Bob got points after the backup; then the backup was put back."""
    job.visit("bob")
    job.run()
    backup = Backup(job.ws.ledger)
    job.visit("ada", number=4)
    job.visit("bob", number=2)
    assert job.run()["fired"] == 1
    backup.restore()
    return job


def shown(job, lead):
    return job.crm.shown[lead]["rescore_score"]


def look(job):
    return read_back(job.ws.ledger, job.crm, mapping=job.ws.mappings()["hubspot"], now=job.now)


def resume(job, **how):
    with job.ws.ledger.transaction() as connection:
        return restored.resume(connection, at=job.now, by="rita", **how)


def hold(job):
    with job.ws.ledger.reading() as connection:
        return restored.restored(connection)


def test_an_ordinary_life_looks_like_no_restore(job):
    job.visit("ada", number=4)
    job.run()
    assert not notice_restore(job.ws, at=job.now)
    job.run()
    assert hold(job) is None


def test_it_is_noticed_before_anything_is_landed_and_nothing_is_sent_while_scoring_goes_on(lost):
    calls, received = lost.crm.writes, len(lost.receiver.received)
    counts = lost.run()
    assert hold(lost).why.startswith("the lake holds landings of hubspot/")
    assert counts["changed"] == 2
    assert lost.scores() == {"ada": 60, "bob": 30}
    assert (lost.crm.writes, len(lost.receiver.received)) == (calls, received)
    assert not notice_restore(lost.ws, at=lost.now)


def test_facts_that_landed_after_the_backup_are_read_once_more_and_marked_again(lost):
    assert lost.scores() == {"ada": 20, "bob": 10}
    counts = lost.extract()
    assert (counts["duplicate"], counts["activities"]) == (6, 0)
    with lost.ws.ledger.reading() as connection:
        marked = set(connection.scalars(select(dirty.c.lead)))
    assert marked == {"hubspot:ada", "hubspot:bob"}


def test_only_a_person_lets_it_go_on_and_only_after_everybody_was_read_back_and_scored(lost):
    notice_restore(lost.ws, at=lost.now)
    with pytest.raises(InputUnreadable, match=r"read back yet.*b2b_saas has not scored"):
        resume(lost)
    assert look(lost)["read back"] == 2
    with pytest.raises(InputUnreadable, match="b2b_saas has not scored everybody yet"):
        resume(lost)
    lost.run()
    assert resume(lost) == {"due": 1}
    assert hold(lost) is None
    lost.run()
    assert (shown(lost, "ada"), shown(lost, "bob")) == (60, 30)


def test_the_delivery_that_was_made_before_is_made_again_under_the_same_id(lost):
    before = lost.receiver.received[-1]
    lost.run()
    look(lost)
    resume(lost)
    lost.run()
    assert lost.receiver.received == [before, before]


def test_or_is_not_made_again_when_the_person_says_so(lost):
    received = list(lost.receiver.received)
    lost.run()
    look(lost)
    assert resume(lost, without_automations=True) == {"cancelled": 1}
    lost.run()
    assert lost.receiver.received == received


def test_what_the_crm_shows_from_the_lost_time_and_no_longer_holds_is_found_by_reading_back(job):
    """A score rose and fell again after the backup: the restored ledger has nothing to say, the CRM has."""
    job.run()
    backup = Backup(job.ws.ledger)
    job.crm.put_lead("bob", {"job_title": "Director"})
    job.run()
    assert shown(job, "bob") == 20
    job.crm.put_lead("bob", {"job_title": "Developer"})
    backup.restore()
    job.run()
    assert (job.scores()["bob"], shown(job, "bob")) == (0, 20)
    assert look(job)["drift"] == 1
    resume(job)
    job.run()
    assert shown(job, "bob") == 0


def test_a_ledger_that_was_lost_altogether_is_one_that_was_restored(job):
    job.visit("ada")
    job.run()
    empty(job.ws.ledger)
    job.run()
    assert hold(job) is not None
    assert job.scores() == {"ada": 30, "bob": 0}
    mapping = job.ws.mappings()["hubspot"]
    assert update_crm(job.ws.ledger, job.crm, mapping=mapping, now=job.now, worker="w") == {}
    with job.ws.ledger.reading() as connection:
        assert set(connection.scalars(select(sync.c.state))) == {"due"}
    resume(job)
    assert job.run()["acknowledged"] == 2
