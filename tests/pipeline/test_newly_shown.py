"""A scorecard comes into a mapping, or back: the CRM is owed what it never saw, and nothing that it shows."""

import shutil
from dataclasses import replace

import pytest

from rescore.ledger.status import status
from tests.support.main_job import MAPPINGS


@pytest.fixture
def job(job, tmp_path):
    """Ada has 20 points and Bob none; the mapping can be edited."""
    shutil.copytree(MAPPINGS, tmp_path / "mappings")
    job.ws = replace(job.ws, mappings_dir=tmp_path / "mappings")
    return job


def leave_out(job):
    """The mapping shows another scorecard, which nobody has; what it said."""
    path = job.ws.mappings_dir / "hubspot.yaml"
    text = path.read_text()
    path.write_text(text.replace("\n  b2b_saas:\n", "\n  b2c:\n"))
    return text


def take_in(job, text):
    (job.ws.mappings_dir / "hubspot.yaml").write_text(text)


def leads(job):
    with job.ws.ledger.reading() as connection:
        [card] = status(connection, job.now).scorecards
    return {state: count for state, count in card.leads.items() if count}


def shown(job):
    return {lead: fields.get("rescore_score") for lead, fields in job.crm.shown.items()}


def test_scores_that_nobody_showed_are_written_though_none_has_changed_since(job):
    whole = leave_out(job)
    job.run()
    assert leads(job) == {"untargeted": 2}

    take_in(job, whole)
    assert job.run()["changed"] == 0
    assert (shown(job), leads(job)) == ({"ada": 20, "bob": 0}, {"settled": 2})


def test_what_moved_while_it_was_left_out_is_written_and_the_rest_is_not(job):
    job.run()
    whole = leave_out(job)
    job.visit("bob")
    job.run()
    assert shown(job) == {"ada": 20, "bob": 0}

    take_in(job, whole)
    writes = job.crm.writes
    assert job.run()["acknowledged"] == 1
    assert (shown(job), job.crm.writes) == ({"ada": 20, "bob": 10}, writes + 1)
    assert leads(job) == {"settled": 2}


def test_a_lead_that_is_deleted_is_not_owed(job):
    whole = leave_out(job)
    job.run()
    job.crm.delete("bob")
    job.run()

    take_in(job, whole)
    assert job.run()["acknowledged"] == 1
    assert shown(job) == {"ada": 20}
