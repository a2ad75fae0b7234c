"""An edited list is an edit of the rules; grades and restarts reach the state of record and the CRM."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.lake.records import ActivityRecord
from rescore.ledger import tables
from rescore.ledger.rules import activations
from rescore.ledger.scores import stage
from rescore.pipeline.rules import edited_files
from tests.support.main_job import RULES

MORE = """
lists: {rivals: lists/rivals.txt}
grades:
  engagement: {"1": 30, "2": 10, "3": 0}
  fit: {A: 20, B: 0}
  label: '{fit}{engagement}'
restart: {activity: meeting, where: {outcome: {equals: handed_back}}, dimensions: [engagement], keep: 50%}
"""
RIVAL = """\
  - id: rival
    dimension: fit
    lead: {company: {in_list: rivals}}
    points: -5
bands:"""
LISTED = RULES.replace("bands:", RIVAL) + MORE


@pytest.fixture
def listed(job):
    (job.ws.rules_dir / "lists").mkdir()
    (job.ws.rules_dir / "lists" / "rivals.txt").write_text("Acme\n")
    job.write_rules(LISTED)
    job.crm.put_lead("ada", {"job_title": "Director of Sales", "company": "ACME"})
    return job


def committed(job, lead: str):
    with job.ws.ledger.reading() as connection:
        return stage.committed_row(connection, "b2b_saas", f"hubspot:{lead}")


def restarted_at(job, lead: str):
    with job.ws.ledger.reading() as connection:
        rows = connection.execute(tables.score.select().where(tables.score.c.lead == f"hubspot:{lead}"))
        return rows.one().restarted_at


def test_an_edited_list_is_an_edit_of_the_rules_that_name_it(listed):
    listed.run()
    assert listed.scores()["ada"] == 15
    assert edited_files(listed.ws) == {}

    (listed.ws.rules_dir / "lists" / "rivals.txt").write_text("Initech\n")

    assert list(edited_files(listed.ws)) == ["b2b_saas.yaml"]
    listed.run()
    assert listed.scores()["ada"] == 20
    assert edited_files(listed.ws) == {}


def test_the_rules_of_a_version_are_made_again_when_its_files_are_gone(listed):
    listed.adopt()
    (listed.ws.rules_dir / "lists" / "rivals.txt").unlink()
    with listed.ws.ledger.reading() as connection:
        card = activations.card_of(connection, "b2b_saas", 1)
    assert card.lists[0].values == {"acme"}


def test_a_list_that_goes_missing_changes_nothing_and_is_told_once(listed):
    listed.run()
    (listed.ws.rules_dir / "lists" / "rivals.txt").unlink()

    [news] = listed.adopt()

    assert news.what == "rejected"
    assert "there is no readable file `lists/rivals.txt`" in news.problems[0]
    assert listed.adopt() == []
    listed.run()
    assert listed.scores()["ada"] == 15


def test_a_list_put_back_as_it_was_changes_nothing(listed):
    listed.run()
    (listed.ws.rules_dir / "lists" / "rivals.txt").write_text("Initech\n")
    (listed.ws.rules_dir / "lists" / "rivals.txt").write_text("Acme\n")
    assert listed.adopt() == []


def test_a_grade_is_committed_and_its_change_alone_is_a_change(listed):
    listed.run()
    assert (committed(listed, "ada").grade, committed(listed, "bob").grade) == ("B3", "B3")

    listed.write_rules(LISTED.replace('"3": 0', '"4": 0'))
    counts = listed.run()

    assert committed(listed, "bob").grade == "B4"
    assert counts["changed"] == 2
    assert listed.run()["changed"] == 0


def test_a_restart_takes_points_away_and_is_kept_with_the_score(listed):
    listed.visit("bob", number=4)
    listed.run()
    before = committed(listed, "bob")
    handed_back = listed.now + timedelta(minutes=1, microseconds=5)
    listed.crm.put_activity(
        ActivityRecord("m", "bob", "meeting", handed_back, fields={"outcome": "handed_back"})
    )
    listed.run()

    after = committed(listed, "bob")
    assert (before.score, before.grade, after.score, after.grade) == (40, "B1", 20, "B2")
    assert restarted_at(listed, "bob") == handed_back
    assert restarted_at(listed, "ada") is None


def test_the_crm_shows_the_grade_where_the_mapping_names_a_property(listed, tmp_path):
    shown = (listed.ws.mappings_dir / "hubspot.yaml").read_text()
    folder = tmp_path / "mappings"
    folder.mkdir()
    graded = shown.replace("    band: rescore_band\n", "    band: rescore_band\n    grade: rescore_grade\n")
    (folder / "hubspot.yaml").write_text(graded)
    assert "rescore_grade" in load_mapping(graded.encode(), "x").scores["b2b_saas"].properties
    listed.ws = replace(listed.ws, mappings_dir=folder)
    listed.run()
    assert listed.crm.shown["ada"]["rescore_grade"] == "B3"


def test_an_automation_may_fire_on_a_grade_and_its_receiver_is_told(listed):
    listed.write_rules(LISTED.replace("{score: {at_least: 50}}", "{grade: {in: [A1, B1]}}"))
    listed.run()
    listed.visit("bob", number=3)
    listed.run()

    with listed.ws.ledger.reading() as connection:
        [body] = connection.execute(tables.delivery.select()).all()
    assert json.loads(body.body)["data"]["grade"] == {"old": "B3", "new": "B1"}
