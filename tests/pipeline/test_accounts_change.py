"""Companies through the whole job: their attributes score their leads, and a changed company wakes them."""

import json

import pytest
from sqlalchemy import select

from rescore.ledger import tables
from tests.support.main_job import RULES

BY_COMPANY = RULES.replace(
    "  - id: director",
    """\
  - id: heavy_industry
    dimension: fit
    lead: {company_industry: {equals: steel}}
    points: 15
  - id: director""",
)


@pytest.fixture
def at_work(job):
    job.write_rules(BY_COMPANY)
    for lead, account in (("ada", "100"), ("bob", "100"), ("eve", "200")):
        job.crm.put_lead(lead, {"account": account})
    job.crm.put_account("100", {"company_industry": "Steel"})
    job.crm.put_account("200", {"company_industry": "Wood"})
    job.run()
    return job


def causes_of(job, run):
    delta = tables.delta
    with job.ws.ledger.reading() as connection:
        rows = connection.execute(select(delta.c.lead, delta.c.causes, delta.c.run_key)).all()
    return {row.lead: json.loads(row.causes) for row in rows if row.run_key.startswith(run)}


def test_leads_are_scored_by_what_their_company_is(at_work):
    assert at_work.scores() == {"ada": 15, "bob": 15, "eve": 0}


def test_a_changed_company_wakes_its_leads_and_nobody_else(at_work):
    at_work.crm.put_account("200", {"company_industry": "Steel"})
    counts = at_work.run()
    assert at_work.scores() == {"ada": 15, "bob": 15, "eve": 15}
    assert counts["CRM calls"] == 1
    assert causes_of(at_work, f"run-{at_work.runs}") == {"hubspot:eve": {"attribute": 15}}
    assert at_work.run()["CRM calls"] == 0


def test_a_lead_that_changes_company_is_scored_by_the_new_one(at_work):
    at_work.crm.put_lead("eve", {"account": "100"})
    at_work.crm.put_lead("ada", {"account": "300"})
    at_work.run()
    assert at_work.scores() == {"ada": 0, "bob": 15, "eve": 15}


def test_leads_of_a_deleted_company_lose_what_it_brought_and_are_written_once(at_work):
    at_work.crm.delete_account("100")
    counts = at_work.run()
    assert at_work.scores() == {"ada": 0, "bob": 0, "eve": 0}
    assert (counts["changed"], counts["CRM calls"]) == (2, 1)
    assert at_work.run()["CRM calls"] == 0


def test_leads_of_a_merged_company_are_scored_by_the_one_that_is_left(at_work):
    at_work.crm.put_account("300", {"company_industry": "Steel"}, merged=["100", "200"])
    counts = at_work.run()
    assert at_work.scores() == {"ada": 15, "bob": 15, "eve": 15}
    assert counts["changed"] == 1
    assert at_work.run()["CRM calls"] == 0
