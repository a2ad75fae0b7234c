"""The main job: facts in, scores out, and nothing twice."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from rescore.connectors.memory import MemoryCrm
from rescore.errors import CrmUnavailable
from rescore.lake.records import SetAside
from rescore.ledger.scores import runs, streams
from rescore.ledger.tables import stream
from rescore.pipeline.extract import extract
from rescore.pipeline.score import start_runs


def test_the_first_load_scores_everybody_and_fires_nothing(job):
    job.visit("ada", number=4)

    counts = job.run()

    assert job.scores() == {"ada": 60, "bob": 0}
    assert job.crm.shown["ada"]["rescore_score"] == 60
    assert job.receiver.received == []
    assert counts["started_fired"] == 1


class HalfDown(MemoryCrm):
    """Gives its leads, and no activities while it is down."""

    down = True

    def pages(self, stream, cursor, *, until):
        if self.down and stream == "activities":
            raise CrmUnavailable("the CRM went down")
        return super().pages(stream, cursor, until=until)


def test_nothing_fires_before_the_whole_history_was_read(job):
    """A rescore over a half-read history must not make the rest of it look like news."""
    job.crm = HalfDown("hubspot")
    job.crm.put_lead("ada", {"job_title": "Director of Sales"})
    job.visit("ada", number=6)
    job.adopt()
    with pytest.raises(CrmUnavailable):
        job.extract()
    job.finish(job.start(everybody=True))
    assert job.scores()["ada"] == 20
    job.crm.down = False

    counts = job.run()

    assert job.scores()["ada"] == 80
    assert counts["started_fired"] == 1
    assert job.receiver.received == []


def test_an_unchanged_run_makes_no_call_and_no_delivery(job):
    job.visit("ada", number=4)
    job.run()

    counts = job.run()

    assert (counts["changed"], counts["CRM calls"], len(job.receiver.received)) == (0, 0, 0)


def test_only_the_lead_that_changed_is_scored_and_written(job):
    job.run()
    job.visit("bob")

    counts = job.run()

    assert job.scores() == {"ada": 20, "bob": 10}
    assert counts["promoted"] == counts["changed"] == counts["acknowledged"] == 1


def test_a_crossing_is_delivered_once(job):
    job.run()
    job.visit("ada", number=3)
    job.run()
    job.visit("ada")
    job.run()

    assert job.scores()["ada"] == 60
    assert len(job.receiver.received) == 1


def test_an_activity_later_than_the_run_is_not_counted_and_not_forgotten(job):
    job.run()
    job.visit("bob", at=job.now + timedelta(minutes=2))
    late = job.now + timedelta(minutes=5)  # the extract comes after the run's own time
    extract(job.ws, job.crm, until=late, known_at=late)
    job.now += timedelta(minutes=1)

    job.finish(job.start())
    assert job.scores()["bob"] == 0

    job.now += timedelta(minutes=14)
    job.finish(job.start())
    assert job.scores()["bob"] == 10


def test_an_activity_of_an_unknown_lead_counts_when_the_lead_appears(job):
    job.run()
    job.visit("cleo", number=2)
    job.run()
    assert "cleo" not in job.scores()
    with job.ws.ledger.reading() as connection:
        assert runs.dirty_leads(connection, "b2b_saas") == []

    job.crm.put_lead("cleo", {"job_title": "Director"})
    job.run()

    assert job.scores()["cleo"] == 40


def test_an_unreadable_record_is_counted_with_its_reason_and_stops_nothing(job):
    job.crm.put_unreadable("leads", SetAside("lead", "7", "no id", "{}"))
    job.visit("bob")

    counts = job.extract()

    assert counts["set aside: no id"] == 1
    assert counts["leads"] == 2


def test_an_unreachable_crm_loses_nothing(job):
    job.run()
    job.visit("bob")
    job.crm.failures = [CrmUnavailable("the CRM is down")]

    with pytest.raises(CrmUnavailable):
        job.extract()
    job.run()

    assert job.scores()["bob"] == 10


def test_a_crm_that_is_down_gets_its_updates_from_a_later_run(job):
    job.run()
    job.visit("bob")
    job.now += timedelta(minutes=15)
    job.extract()
    keys = job.start()
    job.crm.failures = [CrmUnavailable("the CRM is down")]
    with pytest.raises(CrmUnavailable):
        job.finish(keys)

    counts = job.run()

    assert job.crm.shown["bob"]["rescore_score"] == 10
    assert counts["changed"] == 0


def test_decay_reaches_everybody_on_the_first_run_of_a_new_day(job):
    job.write_rules(
        (job.ws.rules_dir / "b2b_saas.yaml")
        .read_text()
        .replace("points: 10", "points: 10\n    decay: {half_life: 1d}")
    )
    job.visit("bob", number=2)
    job.run()

    counts = job.run(minutes=24 * 60)

    assert job.scores()["bob"] == 10
    assert counts["promoted"] == 2


def test_the_same_run_id_again_continues_the_same_run(job):
    job.adopt()
    job.extract()
    first = start_runs(job.ws, run_id="r", as_of=job.now, at=job.now)
    job.finish(first)
    later = job.now + timedelta(hours=1)

    again = start_runs(job.ws, run_id="r", as_of=later, at=later)
    counts = job.finish(again)

    assert again == first
    assert (counts["changed"], counts["CRM calls"]) == (0, 0)


def test_a_run_notes_when_it_started_and_when_it_ended(job):
    job.adopt()
    job.extract()
    started = job.now
    [key] = job.start()
    job.now += timedelta(minutes=3)
    job.finish([key])

    with job.ws.ledger.reading() as connection:
        run = runs.find(connection, key)
    assert (run.started_at, run.finished_at) == (started, job.now)


def test_what_the_crm_shows_again_marks_nobody(job):
    job.visit("bob")
    job.run()
    with job.ws.ledger.transaction() as connection:
        connection.execute(update(stream).values(cursor='{"position": 0}'))  # as an overlap does

    counts = job.extract()

    assert (counts["duplicate"], counts["leads unchanged"]) == (1, 2)
    with job.ws.ledger.reading() as connection:
        assert runs.dirty_leads(connection, "b2b_saas") == []


def test_a_crash_between_lake_and_ledger_still_marks_the_leads(job):
    job.run()
    job.visit("bob")
    with job.ws.ledger.transaction() as connection:
        lease = streams.take_fence(connection, "hubspot", "activities")
    [page] = job.crm.pages("activities", lease.cursor, until=job.now)
    job.ws.lake.land(
        "hubspot", page, stream="activities", number=lease.landing, known_at=job.now
    )  # and no commit

    job.run()

    assert job.scores()["bob"] == 10
