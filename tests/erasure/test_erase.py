"""Erasing a person: every copy goes, a tombstone stays, and nothing brings them back."""

from __future__ import annotations

import pytest

from rescore.pipeline.erase import erase
from tests.erasure.conftest import NAMES, PERSON
from tests.erasure.copies import found_in_files, found_in_rows


@pytest.fixture
def home(job):
    return job.ws.reports_dir.parent


def erased(job, **who):
    return erase(job.ws, **(PERSON | who), by="test", at=job.now)


def test_before_the_erasure_the_person_is_in_all_these_places(job, home):
    """So that the other tests look for something."""
    places = found_in_files(home, NAMES)
    for folder in ("lake/activities", "lake/leads", "lake/aliases", "lake/set_aside", "lake/unclaimed"):
        assert any(place.startswith(folder) and place.endswith(".parquet") for place in places), folder
        assert any(place.startswith(f"{folder}/_delta_log") for place in places), folder
    for folder in ("lake/runs", "reports"):
        assert any(place.startswith(folder) for place in places), folder
    assert set(found_in_rows(job.ws.ledger, NAMES)) >= {
        "score", "delta", "stage_score", "sync", "arming", "crossing", "delivery", "dirty", "override"
    }  # fmt: skip


def test_no_copy_is_left_anywhere(job, home):
    counts = erased(job)
    assert found_in_rows(job.ws.ledger, NAMES) == []
    assert found_in_files(home, NAMES) == []
    assert counts["erased"] == 1


def test_everybody_else_stays_as_they_were(job, home):
    others = {lead: score for lead, score in job.scores().items() if not lead.startswith("lead-ada")}
    erased(job)
    assert job.scores() == others
    job.visit("eve")
    job.run()
    assert job.scores()["eve"] == others["eve"] + 10
    assert job.ws.lake.waiting() == 1
