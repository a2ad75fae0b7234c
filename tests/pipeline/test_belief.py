"""Time travel: any score as believed on a date, under any version of the rules."""

from datetime import timedelta

import pytest

from rescore.errors import InputUnreadable
from rescore.ledger.rules import activations, registry
from rescore.pipeline.belief import belief, committed_belief
from tests.pipeline.lives import RULES, Life

HOUR = timedelta(hours=1)
ADA = "hubspot:ada"


@pytest.fixture
def life(job):
    """Ada's score is 36, then 66, then 71 under version 2."""
    life = Life(job.ws)
    life.crm.put_lead("ada", {"job_title": "Director of Sales"})
    life.does("ada", "first", hours=1)
    life.run()
    life.does("ada", "form", kind="form_submit", minutes=-5)
    life.run(minutes=60)
    life.rules = RULES.replace("points: 20", "points: 25")
    life.run(minutes=60)
    return life


def active(life):
    with life.ws.ledger.reading() as connection:
        [active] = activations.in_force(connection)
    return active


def believed(life, **how):
    return belief(life.ws, active(life), ADA, **how).explanation.score


def test_the_committed_score_is_explained_by_the_facts_it_was_made_of(life):
    life.does("ada", "late", kind="form_submit", hours=5)
    life.extract()
    told = committed_belief(life.ws, active(life), ADA)
    assert (told.explanation.score, told.version) == (71, 2)
    assert told.explanation.lines_sum() == 71_000


def test_under_another_version_it_is_what_that_version_would_have_given(life):
    assert committed_belief(life.ws, active(life), ADA, version=1).explanation.score == 66


def test_what_was_known_on_a_date_is_scored_by_the_rules_of_that_date(life):
    then = life.now - 90 * timedelta(minutes=1)
    assert believed(life, as_of=then, known_as_of=then) == 36
    assert believed(life, as_of=then, known_as_of=then, version=2) == 41
    assert believed(life, as_of=life.now, known_as_of=life.now) == 71


def test_time_goes_on_from_the_facts_of_today(life):
    assert believed(life, as_of=life.now + timedelta(days=2)) == 63
    assert believed(life, as_of=life.now - timedelta(days=9)) == 25


def test_the_last_changes_are_told_newest_first_with_their_causes(life):
    changes = committed_belief(life.ws, active(life), ADA).changes
    assert [(c.old_score, c.new_score, c.version, c.causes) for c in changes] == [
        (66, 71, 2, {"rules": 5}),
        (36, 66, 1, {"activity": 30}),
        (None, 36, 1, {"attribute": 20, "activity": 16}),
    ]


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        pytest.param({"version": 7}, "has no version 7; it has 1, 2", id="unknown version"),
        pytest.param({"version": 3}, "version 3 of `b2b_saas` did not hold", id="rejected version"),
        pytest.param({"known_as_of": -30}, "no rules of `b2b_saas` were in force on", id="before the rules"),
        pytest.param(
            {"known_as_of": -30, "version": 1},
            "its first facts landed on 2026-11-02 09:15",
            id="before facts",
        ),
    ],
)
def test_what_cannot_be_told_is_one_sentence(life, how, sentence):
    with life.ws.ledger.transaction() as connection:
        registry.reject(
            connection,
            scorecard="b2b_saas",
            sha256="0" * 64,
            body=None,
            path="x",
            at=life.now,
            by="x",
            problems=["x:1:1: no"],
        )
    known = {"known_as_of": life.now + how["known_as_of"] * HOUR} if "known_as_of" in how else {}
    with pytest.raises(InputUnreadable) as problem:
        believed(life, **(how | {"as_of": life.now} | known))
    assert sentence in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_lead_that_was_merged_away_names_the_one_that_is_left(life):
    life.crm.put_lead("bob", {}, merged=["ada"])
    life.run()
    with pytest.raises(InputUnreadable, match="hubspot:ada was merged into hubspot:bob"):
        believed(life, as_of=life.now)
    earlier = life.now - HOUR
    assert believed(life, as_of=earlier, known_as_of=earlier, version=1) == 66


def test_a_lead_nobody_knows_is_said_so(life):
    with pytest.raises(InputUnreadable, match="the lake knows no lead 'hubspot:nobody'"):
        belief(life.ws, active(life), "hubspot:nobody", as_of=life.now)
