"""Why the score of a lead changed that counted as another one for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from rescore.ledger import tables
from rescore.pipeline.score import score
from tests.pipeline.test_buying_groups import BUYING
from tests.pipeline.two_crms import TwoCrms

ADA, ADA_THERE = "hubspot:ada", "salesforce:003A"
AT_WORK = {"account": "100"}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def job(ledger, tmp_path) -> TwoCrms:
    """Two records of one company under rules about companies; nobody has said that they are one person."""
    job = TwoCrms.below(tmp_path, ledger)
    job.write_rules(BUYING)
    job.crm.put_lead("ada", AT_WORK)
    job.crm.put_lead("bob", AT_WORK)
    job.sales.put_lead("003A", AT_WORK)
    job.view(ADA_THERE)
    job.view("hubspot:bob")
    job.run()
    assert job.record() == {ADA: 30, "hubspot:bob": 40, ADA_THERE: 40}
    return job


def last_causes(job: TwoCrms, lead: str) -> dict[str, int]:
    *_, (_, causes) = job.rows(tables.delta, "ver", "causes", lead=lead)
    return json.loads(causes)


@contextmanager
def killed_once_joined(job: TwoCrms) -> Iterator[None]:
    """The process ends before the commit after which two records are one in the lake."""

    def end(_connection) -> None:
        if job.ws.lake.canonical([ADA_THERE]):
            raise Killed

    event.listen(Engine, "commit", end)
    try:
        with pytest.raises(Killed):
            yield
    finally:
        event.remove(Engine, "commit", end)


@pytest.mark.parametrize("minutes", [15, 24 * 60], ids=["the same day", "a day later"])
def test_a_lead_that_counts_by_itself_again_owes_its_whole_score_to_that(job, minutes):
    job.crm.put_lead("ada", AT_WORK, same_as=[ADA_THERE])
    job.run()
    assert last_causes(job, ADA_THERE) == {"merge": -40}
    job.crm.put_lead("ada", AT_WORK)
    job.view(ADA_THERE, number=2)
    job.run(minutes)
    assert job.record()[ADA_THERE] == 60
    assert last_causes(job, ADA_THERE) == {"merge": 60}


def test_a_run_that_saw_two_records_as_one_before_the_ledger_heard_of_it_stops_no_later_run(job):
    [key] = job.start(everybody=True)
    job.crm.put_lead("ada", AT_WORK, same_as=[ADA_THERE])
    with killed_once_joined(job):
        job.extract()
    score(job.ws, key)
    job.crm.put_lead("ada", AT_WORK)
    job.view(ADA_THERE, number=2)
    job.run(minutes=24 * 60)
    assert job.record()[ADA_THERE] == 60
    assert sum(last_causes(job, ADA_THERE).values()) == 60 - 40
