"""The first load of a source: it may take many runs, is never news, and leaves room for everything else."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from rescore.automations.state_machine import HISTORY
from rescore.connectors.memory import MemoryCrm
from rescore.errors import CrmRateLimited, CrmUnavailable
from rescore.lake.records import ActivityRecord, Unclaimed
from rescore.ledger import tables
from rescore.ledger.scores import streams
from rescore.pipeline.extract import extract
from rescore.pipeline.landings import worth_a_commit
from tests.support.main_job import Job

DAY = timedelta(days=1)


def second(job: Job, *, page_size: int = 2) -> MemoryCrm:
    """A source added to a running deployment: Cleo, whose visits of last month are many."""
    other = MemoryCrm("tryton", page_size=page_size)
    other.put_lead("cleo", {"job_title": "Director"})
    other.put_lead("dan", {"job_title": "Developer"})
    for number in range(6):
        visit(other, f"old-{number}", job.now - 30 * DAY)
    return other


def visit(crm: MemoryCrm, activity_id: str, at, lead: str = "cleo") -> None:
    crm.put_activity(ActivityRecord(activity_id, lead, "page_view", at, asset="/pricing"))


def read(job: Job, source: MemoryCrm, **how) -> Counter[str]:
    return extract(job.ws, source, until=job.now, known_at=job.now, **how)


def turn(job: Job, source: MemoryCrm, **how) -> Counter[str]:
    """A whole run of both sources."""
    job.now += timedelta(minutes=15)
    counts = read(job, source, **how)
    job.extract()
    return counts + job.finish(job.start())


def crossings(job: Job) -> list[tuple[str, str, str | None]]:
    table = tables.crossing
    with job.ws.ledger.reading() as connection:
        found = select(table.c.lead, table.c.outcome, table.c.reason).order_by(table.c.lead)
        return [tuple(row) for row in connection.execute(found)]


def complete(job: Job) -> bool:
    with job.ws.ledger.reading() as connection:
        return streams.history_complete(connection)


def at_once() -> bool:
    return True


def test_a_source_added_later_moves_scores_and_fires_nothing(job):
    job.run()
    other = second(job)
    turn(job, other)
    assert job.scores()["cleo"] == 80
    assert crossings(job) == [("tryton:cleo", "suppressed", HISTORY)]
    assert job.receiver.received == []


def test_what_happens_after_its_history_is_news(job):
    job.run()
    other = second(job)
    turn(job, other)
    for number in range(5):
        visit(other, f"new-{number}", job.now, lead="dan")
    turn(job, other)
    assert ("tryton:dan", "fired", None) in crossings(job)
    assert len(job.receiver.received) == 1


def test_a_history_that_takes_several_runs_is_not_news_in_any_of_them(job):
    job.run()
    other = second(job)
    runs = 0
    while not complete(job) or runs == 0:
        other.put_lead(f"extra-{runs}", {"job_title": "Director"})  # the first stream goes on meanwhile
        visit(other, f"meanwhile-{runs}", job.now, lead="dan")
        turn(job, other, time_is_up=at_once)
        runs += 1
        assert runs < 20
    assert runs > 2
    assert job.scores()["cleo"] == 80
    assert job.receiver.received == []
    assert {outcome for _, outcome, _ in crossings(job)} == {"suppressed"}


def test_the_rest_of_a_deployment_goes_on_firing_while_a_history_is_read(job):
    job.run()
    job.visit("ada", number=4)
    turn(job, second(job), time_is_up=at_once)
    assert not complete(job)
    assert ("hubspot:ada", "fired", None) in crossings(job)


def test_a_reading_that_is_cut_short_goes_on_where_it_stopped(job):
    other, landed = second(job), Counter()
    counts = read(job, other, time_is_up=at_once)
    assert counts["streams to go on with"] == 1
    landed += counts
    while not complete(job):
        landed += read(job, other, time_is_up=at_once)
    assert (landed["leads"], landed["activities"]) == (2, 6)


def test_what_was_read_before_a_failure_stays_and_is_not_asked_for_again(job):
    other = second(job)
    pages = other.pages("activities", None, until=job.now)

    def failing():
        yield next(pages)
        yield next(pages)
        raise CrmUnavailable("gone")

    landings = worth_a_commit(failing(), lambda: False)
    assert len(next(landings).activities) == 4
    with pytest.raises(CrmUnavailable):
        next(landings)


def test_streams_that_have_been_read_come_before_a_history(job):
    other = second(job)
    read(job, other)
    other.put_account("acme", {"industry": "software"})  # a stream of its own, between the others
    told: list[str] = []
    read(job, other, progress=told.append)
    assert [line.split(":")[0] for line in told] == ["tryton leads", "tryton activities", "tryton accounts"]


def test_a_limit_ends_the_reading_of_a_history_and_fails_the_reading_of_news(job):
    other = second(job)
    other.failures = [CrmRateLimited("spent", retry_after=3600)]
    assert read(job, other)["streams to go on with"] == 2
    read(job, other)
    other.failures = [CrmRateLimited("spent", retry_after=3600)]
    with pytest.raises(CrmRateLimited):
        read(job, other)


def test_a_history_leaves_the_rest_of_the_day_to_news_and_writing(job):
    other = second(job)
    other.rooms = {3: 3600.0}
    assert read(job, other)["streams to go on with"] == 1
    other.rooms = {}
    read(job, other)
    assert complete(job)
    other.rooms = {3: 3600.0}
    assert "streams to go on with" not in read(job, other)


def test_activities_older_than_the_history_are_left_out_and_counted(job):
    other = second(job)
    visit(other, "new", job.now - DAY)
    old = ActivityRecord("form", "", "form_submit", job.now - 400 * DAY)
    other.put_activity(Unclaimed("who@x.example", old))
    counts = read(job, other, history=7 * DAY)
    assert (counts["leads"], counts["activities"], counts["unclaimed"]) == (2, 1, 0)
    assert counts["older than the history"] == 7


def test_news_of_a_lead_whose_history_lands_with_it_does_not_fire(job):
    """Nobody can tell which of them made it cross."""
    with job.ws.ledger.transaction() as connection:
        lease = streams.take_fence(connection, "tryton", "leads")
    assert lease.first
    job.run()
    with job.ws.ledger.transaction() as connection:
        for history in (True, False):
            lease = replace(lease, first=history)
            lease = streams.commit_landing(connection, lease, cursor={}, dirty={"hubspot:ada": job.now})
    with job.ws.ledger.reading() as connection:
        assert connection.scalar(select(tables.dirty.c.history)) is True
