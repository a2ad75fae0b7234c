"""Rules about whole accounts, run after run: what one lead does wakes its colleagues, and nobody else."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from rescore.lake.records import ActivityRecord
from rescore.ledger import tables
from rescore.ledger.rules import activations
from rescore.ledger.scores import runs
from rescore.pipeline.belief import committed_belief
from rescore.pipeline.erase import erase
from rescore.pipeline.extract import extract
from rescore.pipeline.score import score
from rescore.pipeline.verify import verify_scores
from tests.support.main_job import RULES

BUYING = RULES.replace(
    "  - id: director",
    """\
  - id: buying_group
    dimension: engagement
    scope: account
    activity: page_view
    frequency: {distinct: lead, count: 2, within: 30d}
    points: 30
  - id: director""",
)


@pytest.fixture
def at_work(job):
    """Ada, Bob and Eve of one company, Zoe of another; everybody was scored once."""
    job.write_rules(BUYING)
    for lead in ("ada", "bob", "eve"):
        job.crm.put_lead(lead, {"account": "100"})
    job.crm.put_lead("zoe", {"account": "200"})
    job.visit("ada")
    job.run()
    assert job.scores() == {"ada": 10, "bob": 0, "eve": 0, "zoe": 0}
    return job


def last_causes(job):
    delta = tables.delta
    with job.ws.ledger.reading() as connection:
        rows = connection.execute(select(delta.c.lead, delta.c.causes, delta.c.run_key)).all()
    mine = [row for row in rows if row.run_key.startswith(f"run-{job.runs}/")]
    return {row.lead.partition(":")[2]: json.loads(row.causes) for row in mine}


def scored_by(run, job):
    run()
    with job.ws.ledger.reading() as connection:
        return runs.find(connection, f"run-{job.runs}/b2b_saas").counts.get("scored", 0)


def dirty(job):
    with job.ws.ledger.reading() as connection:
        return {lead.partition(":")[2] for lead in runs.dirty_leads(connection, "b2b_saas")}


def test_a_second_person_makes_a_buying_group_for_everybody_of_the_account(at_work):
    at_work.visit("bob", at=at_work.now + timedelta(minutes=5))
    assert scored_by(at_work.run, at_work) == 3
    assert at_work.scores() == {"ada": 40, "bob": 40, "eve": 30, "zoe": 0}
    assert last_causes(at_work) == {"ada": {"activity": 30}, "bob": {"activity": 40}, "eve": {"activity": 30}}
    assert dirty(at_work) == set()
    assert scored_by(at_work.run, at_work) == 0


def test_people_of_merged_companies_are_one_group_until_the_company_is_deleted(at_work):
    at_work.visit("zoe")
    at_work.crm.put_account("200", {}, merged=["100"])
    at_work.run()
    assert at_work.scores() == {"ada": 40, "bob": 30, "eve": 30, "zoe": 40}
    at_work.crm.delete_account("200")
    at_work.run()
    assert at_work.scores() == {"ada": 10, "bob": 0, "eve": 0, "zoe": 10}
    assert dirty(at_work) == set()


def test_the_causes_of_a_night_tell_time_from_what_colleagues_did(at_work):
    at_work.visit("bob", at=at_work.now + timedelta(minutes=5))
    at_work.run()
    at_work.visit("zoe", at=at_work.now + timedelta(days=30))
    at_work.crm.put_lead("zoe", {"account": "200"})
    at_work.visit("eve", at=at_work.now + timedelta(days=30))
    at_work.run(minutes=31 * 24 * 60)  # Ada's and Bob's visits are too old now to make a group with Eve's
    assert at_work.scores() == {"ada": 10, "bob": 10, "eve": 10, "zoe": 10}
    assert last_causes(at_work) == {
        "ada": {"decay": -30}, "bob": {"decay": -30}, "eve": {"decay": -30, "activity": 10},
        "zoe": {"activity": 10},
    }  # fmt: skip


def test_stored_scores_hold_when_they_are_computed_again(at_work):
    at_work.visit("bob")
    at_work.run()
    at_work.visit("zoe")
    at_work.crm.put_lead("bob", {"account": "200"})
    at_work.run()
    found = verify_scores(at_work.ws, sample=10, at=at_work.now, seed=1)
    assert found.holds
    assert found.checked == {"b2b_saas": 4}


def test_an_explanation_counts_what_the_whole_account_did(at_work):
    at_work.visit("bob", number=3)
    at_work.run()
    with at_work.ws.ledger.reading() as connection:
        active = activations.active(connection, "b2b_saas")
    told = committed_belief(at_work.ws, active, "hubspot:eve").explanation
    line = next(line for line in told.rules if line.rule == "buying_group")
    assert (line.points, line.matching, line.people) == (30_000, 4, 2)
    assert "4 by 2" in told.text()


def test_a_plan_shows_the_scores_that_whole_accounts_get(job):
    for lead in ("ada", "bob", "eve"):
        job.crm.put_lead(lead, {"account": "100"})
    job.visit("ada")
    job.visit("bob")
    job.run()
    job.write_rules(BUYING)
    job.run()
    assert job.scores() == {"ada": 40, "bob": 40, "eve": 30}
    assert last_causes(job)["eve"] == {"rules": 30}


def test_who_leaves_a_company_takes_what_they_did_along(at_work):
    at_work.visit("bob")
    at_work.run()
    at_work.crm.put_lead("bob", {"account": "200"})
    at_work.run()
    assert at_work.scores() == {"ada": 10, "bob": 10, "eve": 0, "zoe": 0}
    at_work.visit("zoe")
    at_work.run()
    assert at_work.scores() == {"ada": 10, "bob": 40, "eve": 0, "zoe": 40}


def test_who_is_deleted_or_objects_counts_for_nobody(at_work):
    at_work.visit("bob")
    at_work.run()
    at_work.crm.delete("bob")
    at_work.run()
    assert at_work.scores() == {"ada": 10, "bob": None, "eve": 0, "zoe": 0}


def test_a_merge_moves_what_was_done_to_the_account_of_the_lead_that_is_left(at_work):
    at_work.visit("zoe")
    at_work.run()
    at_work.crm.put_lead("eve", {"account": "100"}, merged=["zoe"])
    at_work.run()
    assert at_work.scores() == {"ada": 40, "bob": 30, "eve": 40, "zoe": None}


def test_who_is_erased_counts_for_no_colleague(at_work):
    at_work.visit("bob")
    at_work.run()
    erase(at_work.ws, ["hubspot:bob"], by="test", at=at_work.now)
    assert dirty(at_work) == {"ada", "eve"}
    at_work.run()
    assert at_work.scores() == {"ada": 10, "eve": 0, "zoe": 0}


def test_colleagues_stay_dirty_until_a_run_has_promoted_them(at_work):
    at_work.visit("bob")
    at_work.now += timedelta(minutes=15)
    at_work.extract()
    [key] = at_work.start()
    score(at_work.ws, key)  # and then the process was killed
    assert dirty(at_work) == {"ada", "bob", "eve"}
    assert scored_by(at_work.run, at_work) == 3
    assert at_work.scores()["eve"] == 30


def test_colleagues_wait_for_a_fact_that_comes_too_late_for_the_run_too(at_work):
    at_work.now += timedelta(minutes=15)
    late = at_work.now + timedelta(minutes=2)
    at_work.crm.put_activity(ActivityRecord("late", "bob", "page_view", late, asset="/pricing"))
    extract(at_work.ws, at_work.crm, until=late, known_at=late)
    at_work.finish(at_work.start())
    assert at_work.scores()["eve"] == 0
    assert dirty(at_work) == {"ada", "bob", "eve"}
    at_work.run()
    assert at_work.scores()["eve"] == 30
    assert dirty(at_work) == set()


def test_rules_without_accounts_wake_no_colleagues(at_work):
    at_work.write_rules(RULES)
    at_work.run()
    at_work.run()
    at_work.visit("bob")
    assert scored_by(at_work.run, at_work) == 1
