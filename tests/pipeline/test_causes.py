"""Causes: what moved a score, in whole points that sum to its change exactly."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from rescore.lake.records import ActivityRecord
from rescore.ledger import tables
from rescore.pipeline.score import start_runs
from tests.pipeline.lives import RULES, Life

DAY = 24 * 60
MINUTE = timedelta(minutes=1)

RESTARTING = """\
  - id: met
    dimension: engagement
    activity: meeting
    points: 6
audience:"""
RESTARTED = RULES.replace("audience:", RESTARTING) + (
    "restart: {activity: meeting, where: {outcome: {equals: handed_back}}, "
    "dimensions: [engagement], keep: 25%}\n"
)
"""A meeting is worth 6; where sales hands the lead back, what came before is worth a quarter."""

BACK = "handed_back"

MQL = """\
automations:
  - id: mql
    fire_when: {score: {at_least: 50}}
    do: [{webhook: {connection: sales_alerts}}]
"""


@pytest.fixture
def life(job):
    life = Life(job.ws)
    life.crm.put_lead("ada", {"job_title": "Director of Sales"})
    life.crm.put_lead("bob", {"job_title": "Developer"})
    life.does("ada", "first", hours=1)
    life.run()
    return life


def test_a_first_score_is_what_the_lead_is_and_then_what_it_did(life):
    assert life.deltas() == [
        ("ada", None, 36, {"attribute": 20, "activity": 16}),
        ("bob", None, 0, {}),
    ]


def a_new_visit(life):
    life.does("ada", "second", minutes=-5)


def a_visit_from_before_the_last_run(life):
    life.does("ada", "second", hours=2)


def a_correction_of_a_visit(life):
    life.does("ada", "first", asset="/about", hours=1)


def a_visit_that_turns_out_to_be_somebody_elses(life):
    life.does("bob", "first", hours=1)


def a_merge(life):
    life.does("bob", "of bob", kind="form_submit")
    life.run()
    life.crm.put_lead("ada", {"job_title": "Director of Sales"}, merged=["bob"])


def a_merge_with_somebody_just_found(life):
    life.does("cleo", "of cleo", kind="form_submit")
    life.crm.put_lead("ada", {"job_title": "Director of Sales"}, merged=["cleo"])


def another_job(life):
    life.crm.put_lead("ada", {"job_title": "Advisor"})


def a_lead_becomes_a_customer(life):
    life.crm.put_lead("ada", {"job_title": "Director of Sales", "lifecycle_stage": "customer"})


def an_edit(life):
    life.rules = RULES.replace("points: 20", "points: 25")


@pytest.mark.parametrize(
    ("happens", "causes"),
    [
        pytest.param(a_new_visit, {"activity": 16}, id="activity"),
        pytest.param(a_visit_from_before_the_last_run, {"late": 16}, id="late activity"),
        pytest.param(a_correction_of_a_visit, {"correction": -16}, id="correction"),
        pytest.param(a_visit_that_turns_out_to_be_somebody_elses, {"correction": -16}, id="moved away"),
        pytest.param(a_merge, {"merge": 30}, id="merge"),
        pytest.param(a_merge_with_somebody_just_found, {"merge": 30}, id="merge with somebody new"),
        pytest.param(another_job, {"attribute": -20}, id="attribute"),
        pytest.param(a_lead_becomes_a_customer, {"attribute": -36}, id="out of the audience"),
        pytest.param(an_edit, {"rules": 5}, id="rules"),
    ],
)
def test_what_happens_alone_is_the_only_cause(life, happens, causes):
    happens(life)
    life.run(minutes=30)
    assert life.last() == causes


def test_time_alone_is_decay(life):
    life.run(minutes=2 * DAY)
    assert life.last() == {"decay": -8}


def test_what_moves_to_another_lead_is_a_correction_for_that_one_too(life):
    life.does("bob", "first", hours=1)
    life.run()
    assert life.last("bob") == {"correction": 16}


def test_what_happened_together_is_told_apart(life):
    life.does("bob", "of bob", kind="form_submit", minutes=1)
    life.run()
    life.crm.put_lead("ada", {"job_title": "Advisor"}, merged=["bob"])
    life.does("ada", "new", kind="form_submit", minutes=-2 * DAY + 5)
    life.does("ada", "late", kind="form_submit", days=10)
    life.does("ada", "first", asset="/about", hours=1)
    life.rules = RULES.replace("points: 30", "points: 31")

    life.run(minutes=2 * DAY)

    assert life.last() == {
        "decay": -8,
        "merge": 30,
        "correction": -8,
        "late": 30,
        "activity": 30,
        "attribute": -20,
        "rules": 3,
    }
    assert life.scores()["ada"] == 93


def test_an_activity_that_was_known_before_it_happened_is_activity(life):
    """A run as of an earlier moment saw it, and did not count it."""
    life.does("ada", "soon", minutes=-2)
    early, life.now = life.now, life.now + 5 * MINUTE
    life.extract()
    life.finish(start_runs(life.ws, run_id="early", as_of=early + MINUTE, at=life.now))
    life.run()
    assert life.last() == {"activity": 16}


def test_limits_and_ceilings_count_in_the_order_of_the_steps(life):
    for number in range(6):
        life.does("ada", f"late {number}", hours=2)
        life.does("ada", f"new {number}", minutes=-5)
    life.run()
    assert life.last() == {"late": 48}


def test_causes_begin_at_the_score_that_is_committed_when_they_are(life):
    """A run that was staged before another one's promotion: its causes are of a score that is gone."""
    life.now += MINUTE
    life.does("ada", "one")
    life.extract()
    [early] = life.start()
    life.now += MINUTE
    life.does("ada", "two")
    life.extract()
    [late] = life.start()
    life.staged(late)
    life.finish([early])
    life.promoted(late)

    ours = [delta for delta in life.deltas() if delta[0] == "ada"][1:]
    assert ours == [("ada", 36, 52, {"activity": 16}), ("ada", 52, 68, {"activity": 16})]


@pytest.fixture
def restarted(life):
    """Ada as a director with one visit: 36 points, 16 of them for engagement."""
    life.rules = RESTARTED
    life.run()
    assert life.scores()["ada"] == 36
    return life


def meets(life, outcome, name="meeting", lead="ada", **ago):
    at = life.now - timedelta(**ago)
    life.crm.put_activity(ActivityRecord(name, lead, "meeting", at, fields={"outcome": outcome}))


@pytest.mark.parametrize(
    ("meetings", "causes"),
    [
        pytest.param([(BACK, 5)], {"restart": -12, "activity": 6}, id="a restart"),
        pytest.param([("held", 5)], {"activity": 6}, id="one that its where excludes"),
        pytest.param([("held", 4), (BACK, 8)], {"restart": -16, "activity": 12}, id="both"),
        pytest.param([(BACK, 4), (BACK, 8)], {"restart": -16, "activity": 12}, id="two"),
        pytest.param([(BACK, 1), ("held", 8), ("held", 9)], {"restart": -12, "activity": 18}, id="after"),
        pytest.param([(BACK, -30)], {"restart": -12, "late": 6}, id="one that comes late"),
    ],
)  # fmt: skip
def test_a_restart_is_the_cause_of_what_it_takes_away_and_of_nothing_else(restarted, meetings, causes):
    for number, (outcome, minutes) in enumerate(meetings):
        meets(restarted, outcome, f"meeting {number}", minutes=-minutes)
    restarted.run()
    assert restarted.last() == causes


def test_a_correction_that_makes_a_restart_is_a_restart(restarted):
    meets(restarted, "held", minutes=1)
    restarted.run()
    meets(restarted, BACK, minutes=16)
    restarted.run()
    assert restarted.last() == {"restart": -12}


def test_a_restart_that_takes_nothing_away_is_no_cause(restarted):
    meets(restarted, BACK, lead="bob", minutes=-5)
    restarted.run()
    assert restarted.last("bob") == {"activity": 6}


def test_a_newer_restart_takes_away_only_what_came_since_the_last(restarted):
    meets(restarted, BACK, "first of two", minutes=-5)
    restarted.run()
    meets(restarted, BACK, "second of two", minutes=-5)
    restarted.run()
    assert restarted.last() == {"restart": -4, "activity": 6}


def test_a_receiver_is_told_the_causes_of_a_crossing(life):
    life.rules = RULES + MQL
    life.run()
    life.does("ada", "form", kind="form_submit", minutes=-5)
    life.run()
    with life.ws.ledger.reading() as connection:
        [body] = connection.scalars(select(tables.delivery.c.body)).all()
    assert json.loads(body)["data"]["causes"] == {"activity": 30}
