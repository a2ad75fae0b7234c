"""A scorecard comes into a mapping, or back: the CRM is owed what it never saw, and nothing that it shows."""

import shutil
from dataclasses import replace

import pytest

from rescore.ledger.status import status
from rescore.pipeline.reconcile import read_back
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


def test_a_property_that_is_new_in_the_mapping_is_written_once_everybody_was_read_back(job):
    whole = (job.ws.mappings_dir / "hubspot.yaml").read_text()
    take_in(job, whole.replace("    band: rescore_band\n", "", 1))
    job.run()
    take_in(job, whole)
    job.run()
    assert "rescore_band" not in job.crm.shown["ada"]

    mapping = job.ws.mappings()["hubspot"]
    read_back(job.ws.ledger, job.crm, mapping=mapping, now=job.now, everybody=True)
    job.run()
    assert {lead: fields["rescore_band"] for lead, fields in job.crm.shown.items()} == {
        "ada": "B",
        "bob": "C",
    }


def test_a_lead_that_is_deleted_is_not_owed(job):
    whole = leave_out(job)
    job.run()
    job.crm.delete("bob")
    job.run()

    take_in(job, whole)
    assert job.run()["acknowledged"] == 1
    assert shown(job) == {"ada": 20}
