"""Erasing a person: every copy goes, a tombstone stays, and nothing brings them back."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from rescore.erased import Person
from rescore.errors import Fenced, InputUnreadable
from rescore.lake.records import LeadRecord, Page
from rescore.ledger import tables
from rescore.ledger.people import erasures, tombstones
from rescore.ledger.scores import streams
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.erase import ask_to_erase, erase, resume
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.score import score
from rescore.plan.make import find_plan
from tests.erasure.conftest import ADA, ADA_OLD, ADDRESS, NAMES, PERSON, tell_of_everybody
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


def test_the_crm_telling_it_all_again_resurrects_nobody(job, home):
    erased(job)
    tell_of_everybody(job)
    job.crm.put_lead(ADA, {"job_title": "Director of Sales", "mail": ADDRESS}, merged=[ADA_OLD])
    job.visit(ADA, number=9)
    counts = job.extract()
    assert counts["erased"] == 16  # two records, two rows set aside, an address that waits, and visits
    job.finish(job.start(everybody=True))
    assert found_in_rows(job.ws.ledger, NAMES) == []
    assert found_in_files(home, NAMES) == []
    assert "hubspot:bob" in found_scores(job)


def test_a_new_record_with_a_known_address_is_the_same_person(job):
    erased(job)
    job.crm.put_lead("ada-again", {"job_title": "Director of Sales"}, addresses=[ADDRESS.upper()])
    job.visit("ada-again", number=6)
    job.run()
    assert "hubspot:ada-again" not in found_scores(job)
    job.crm.put_lead("ada-again", {"job_title": "Director of Sales"})  # told without the address
    job.run()
    assert "hubspot:ada-again" not in found_scores(job)


def test_a_lifted_tombstone_lets_them_come_back(job):
    erased(job)
    with job.ws.ledger.transaction() as connection:
        assert tombstones.lift(connection, Person.of(PERSON["leads"], PERSON["addresses"])) == 2
    job.crm.put_lead(ADA, {"job_title": "Director of Sales"}, addresses=[ADDRESS])
    job.run()
    assert f"hubspot:{ADA}" in found_scores(job)


def test_a_run_that_has_scored_them_before_stages_nobody(job):
    job.visit(ADA, number=2)
    job.extract()
    keys = job.start()
    for key in keys:
        score(job.ws, key)
    results = {key: job.ws.lake.read_results(key) for key in keys}
    erased(job)
    for key in keys:  # as if it had held its results in memory
        pq.write_table(results[key], job.ws.lake.results_path(key))
        stage_deltas(job.ws, key)
        promote_or_hold(job.ws, key, at=job.now)
    assert f"hubspot:{ADA}" not in found_scores(job)
    assert found_in_rows(job.ws.ledger, NAMES) == []


def test_a_landing_that_is_under_way_is_shut_out(job):
    with job.ws.ledger.transaction() as connection:
        lease = streams.take_fence(connection, "hubspot", "leads")
    erased(job)
    page = Page(leads=[LeadRecord(ADA, {"job_title": "Director of Sales"})])
    with pytest.raises(Fenced):
        job.ws.lake.land("hubspot", page, stream="leads", number=lease.landing, known_at=job.now)


def test_a_request_names_nobody_and_is_carried_out_by_its_id(job, home):
    request = ask_to_erase(job.ws, **PERSON, by="ute", at=job.now)
    assert not any(name in request for name in NAMES)
    assert f"hubspot:{ADA}" in found_scores(job)
    assert resume(job.ws, at=job.now, erasure_id=request)["erased"] == 1
    assert found_in_files(home, NAMES) == []
    assert resume(job.ws, at=job.now, erasure_id=request) == {}
    with job.ws.ledger.reading() as connection:
        done = erasures.find(connection, request)
    assert (done.state, done.asked_by, done.person.leads) == ("done", "ute", frozenset())


def test_a_plan_can_be_read_and_applied_without_them(job):
    [folder] = [path.parent for path in job.ws.reports_dir.rglob("plan.json")]
    before = find_plan(job.ws, folder.name)
    erased(job)
    plan = find_plan(job.ws, folder.name)
    assert plan.leads == before.leads
    assert ADA not in str(plan)
    assert plan.examples != before.examples


def test_lists_in_reports_lose_the_line_and_keep_the_others(job):
    erased(job)
    verify = job.ws.reports_dir / "verify"
    assert (verify / "overtaken.txt").read_text() == "hubspot:bob\n"
    assert json.loads((verify / "2026.json").read_text()) == [{"lead": "hubspot:bob"}]


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ({"leads": ["1042"], "addresses": []}, "as in hubspot:1042|hubspot:1042"),
        ({"leads": [], "addresses": ["nobody"]}, "has an @"),
        ({"leads": [], "addresses": []}, "say whom"),
    ],
    ids=["no key", "no address", "nobody"],
)
def test_what_cannot_be_a_person_is_refused_in_a_sentence(job, who, sentence):
    with pytest.raises(InputUnreadable, match=sentence):
        erased(job, **who)


def found_scores(job) -> set[str]:
    with job.ws.ledger.reading() as connection:
        return set(connection.scalars(select(tables.score.c.lead)))
