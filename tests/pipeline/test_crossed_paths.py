"""Edits, answers and runs that cross each other: two processes, an older decision, a kill in between."""

from datetime import timedelta

import pytest

from rescore.ledger.rules import activations
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.holds import expire_holds
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.rules_change import rollback
from rescore.pipeline.score import score, start_runs
from rescore.pipeline.watch import ask_rescore
from tests.pipeline.holding import answer, open_holds, release_and_be_killed, versions
from tests.support.main_job import RULES

BOLD = RULES.replace("points: 10", "points: 30")
MILD = RULES.replace("points: 10", "points: 11")
TIGHT = "band_moves: {leads: 0, share: 40%}\ncrossings: {leads: 5}\n"
WIDE = "band_moves: {leads: 9}\ncrossings: {leads: 5}\n"


@pytest.fixture
def job(job, tmp_path):
    """Ada has 30 points and bob 20, both in band B; a policy that holds every second band move."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(TIGHT)
    job.use_policy(policy)
    job.visit("ada", number=1)
    job.visit("bob", number=2)
    job.run()
    return job


def edit(job, text):
    job.now += timedelta(minutes=1)
    job.write_rules(text)
    return job.adopt()


def test_an_older_decision_about_the_same_rules_does_not_undo_a_release_that_was_interrupted(job):
    edit(job, BOLD)
    edit(job, RULES)
    edit(job, BOLD)
    release_and_be_killed(job)

    job.run()

    assert versions(job) == {1: "retired", 2: "active"}


def test_an_older_decision_about_the_same_run_does_not_throw_away_its_newer_attempt(job):
    job.visit("bob", number=7)
    job.now += timedelta(minutes=15)
    job.extract()
    job.finish(keys := start_runs(job.ws, run_id="cleared", as_of=job.now, at=job.now))
    answer(job, "discard")
    with job.ws.ledger.transaction() as connection:
        activations.resume(connection, "b2b_saas", at=job.now, by="rita")
    job.now += timedelta(minutes=15)
    job.finish(start_runs(job.ws, run_id="cleared", as_of=job.now, at=job.now))

    assert expire_holds(job.ws, job.now) == {}
    assert [hold.run_key for hold in open_holds(job)] == keys
    assert answer(job)["promoted"] == 1


def test_a_newer_edit_takes_the_place_of_a_release_that_was_interrupted(job):
    edit(job, BOLD)
    release_and_be_killed(job)
    edit(job, MILD)

    job.run()

    assert versions(job) == {1: "retired", 2: "discarded", 3: "active"}


@pytest.mark.parametrize(
    ("slow", "newer", "end"),
    [
        pytest.param(MILD, BOLD, {1: "active", 2: "draft", 3: "held"}, id="the newer one is held"),
        pytest.param(BOLD, MILD, {1: "retired", 2: "draft", 3: "active"}, id="the newer one is in force"),
    ],
)
def test_an_edit_that_was_saved_while_another_was_planned_is_the_one_that_counts(job, slow, newer, end):
    said = []

    def meanwhile(line):
        said.append(line)
        if len(said) == 1:
            edit(job, newer)

    job.write_rules(slow)
    news = adopt_rules(job.ws, at=job.now, by="slow", progress=meanwhile)

    assert (news, versions(job)) == ([], end)
    assert [hold.version_seq for hold in open_holds(job)] == ([3] if end[3] == "held" else [])


def test_a_held_version_that_comes_into_force_another_way_is_asked_about_no_more(job):
    edit(job, BOLD)
    job.ws.policy_file.write_text(WIDE)
    job.now += timedelta(minutes=1)

    news = rollback(job.ws, "b2b_saas", to=2, at=job.now, by="rita")

    assert (news.what, versions(job), open_holds(job)) == ("activated", {1: "retired", 2: "active"}, [])


def test_a_release_without_automations_is_about_its_rescore_and_silences_no_later_one(job):
    edit(job, BOLD)
    answer(job, "release_without_automations")
    job.run()
    job.crm.put_lead("cleo", {"job_title": "Director"})
    job.visit("cleo", number=2)
    job.now += timedelta(minutes=15)
    job.extract()

    counts = job.finish(job.start(everybody=True))

    assert (counts["fired"], len(job.receiver.received)) == (1, 1)


def test_a_release_without_automations_holds_for_the_run_that_comes_before_its_rescore(job):
    edit(job, BOLD)
    answer(job, "release_without_automations")
    ask_rescore(job.ws, at=job.now)
    job.ws.policy_file.write_text(WIDE)
    job.visit("bob")

    counts = job.run(minutes=1)

    assert (counts["changed"], counts["fired"], counts["suppressed"]) == (1, 0, 1)


def test_of_two_rescores_with_the_same_plan_the_slower_one_finds_nothing_left_to_do(job):
    edit(job, MILD)
    [first], [second] = job.start(everybody=True), job.start(everybody=True)
    score(job.ws, second)
    job.finish([first])

    stage_deltas(job.ws, second)
    counts = promote_or_hold(job.ws, second, at=job.now)

    assert (counts["changed"], job.scores()) == (0, {"ada": 31, "bob": 22})
