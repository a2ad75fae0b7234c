"""The life of an edit: planned, judged, put in force; cut over, taken back, never lost."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.errors import InputUnreadable
from rescore.ledger import tables
from rescore.ledger.rules import activations, holds
from rescore.ledger.status import status
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.rules_change import rollback
from rescore.pipeline.score import score, start_runs
from rescore.pipeline.watch import ask_rescore
from rescore.plan.make import find_plan
from tests.pipeline.holding import (
    BOLD,
    MILD,
    answer,
    careful,
    in_force,
    open_holds,
    rows,
    versions,
    world_of,
)
from tests.support.main_job import RULES


@pytest.fixture
def job(job, tmp_path):
    return careful(job, tmp_path)


def test_an_edit_that_moves_too_many_bands_is_held_with_its_plan_and_changes_nothing(job):
    before = world_of(job)
    job.write_rules(BOLD)

    [news] = job.adopt()
    counts = job.run()

    assert (news.what, news.wakes) == ("held", "scoring")
    assert news.reasons == ("2 of 2 banded leads change band; 0 may without asking",)
    assert find_plan(job.ws, news.plan_hash).leads.band_moves == 2
    assert [hold.hold_id for hold in open_holds(job)] == [news.hold_id]
    assert news.hold_id == f"b2b_saas__rules__2__{news.plan_hash[:8]}"
    assert (counts["CRM calls"], world_of(job), in_force(job)) == (0, before, 1)


def test_what_a_plan_computed_is_kept_until_nobody_waits_for_it(job):
    def kept():
        return list((job.ws.reports_dir.parent / "lake" / "runs").glob("plan*"))

    job.write_rules(BOLD)
    job.adopt()
    job.now += timedelta(hours=2)
    job.run()
    assert len(kept()) == 1, "somebody may release it"
    job.write_rules(MILD)
    job.adopt()
    assert len(kept()) == 2

    job.run()

    assert kept() == []


def test_a_smaller_edit_passes_by_itself_and_writes_what_its_plan_says(job):
    job.write_rules(MILD)

    [news] = job.adopt()
    counts = job.run()

    plan = find_plan(job.ws, news.plan_hash)
    assert (news.what, open_holds(job)) == ("activated", [])
    assert job.scores() == {"ada": 31, "bob": 22}
    assert counts["changed"] == plan.leads.changed == 2
    assert counts["CRM calls"] == plan.targets[0].calls == 1


def test_leads_with_newer_facts_are_overtaken_and_scored_at_the_present_by_the_next_run(job):
    job.write_rules(MILD)
    [news] = job.adopt()
    job.now += timedelta(minutes=2)
    job.visit("bob")
    job.extract()
    # an incremental run that had begun before the edit is too late now: superseded
    job.now += timedelta(minutes=2)
    with job.ws.ledger.transaction() as connection:
        activations.ask_rescore(connection, "b2b_saas", at=job.now)
    incremental = job.finish(job.start())
    assert (job.scores()["bob"], incremental["promoted"]) == (33, 1)

    rescore = job.finish(job.start(everybody=True))

    assert (rescore["promoted"], job.scores()) == (1, {"ada": 31, "bob": 33})
    listed = job.ws.reports_dir / news.plan_hash / "overtaken.txt"
    assert listed.read_text() == "hubspot:bob\n"
    assert job.run()["changed"] == 0


def test_a_rescore_that_is_killed_half_way_goes_on_and_ends_the_same(job, tmp_path):
    for number in range(40):
        job.crm.put_lead(f"lead-{number}", {"job_title": "Director"})
    job.run()
    job.write_rules(MILD.replace("points: 20", "points: 21"))
    job.adopt()
    [key] = job.start()
    score(job.ws, key)
    stage_deltas(job.ws, key)

    said = []

    def killed(line):
        said.append(line)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        promote_or_hold(job.ws, key, at=job.now, chunk=5, progress=killed)
    assert {20, 21} < set(job.scores().values()), "some are under the new rules, some are not yet"

    job.finish([key])

    assert set(job.scores().values()) == {21, 32, 22}
    assert job.run()["changed"] == 0


def test_rollback_restores_every_score_and_the_file_does_not_come_back_by_itself(job):
    before = job.scores()
    job.write_rules(MILD)
    job.run()

    news = rollback(job.ws, "b2b_saas", at=job.now, by="rita")
    job.run()

    assert (news.what, news.version, in_force(job)) == ("activated", 1, 1)
    assert job.scores() == before
    with job.ws.ledger.reading() as connection:
        [card] = status(connection, job.now).scorecards
    assert (card.version, card.file_differs) == (1, True)
    assert job.adopt() == []
    job.run()
    assert job.scores() == before


def test_a_rollback_is_gated_like_any_other_change(job):
    job.write_rules(BOLD)
    job.adopt()
    answer(job)
    job.run()

    news = rollback(job.ws, "b2b_saas", at=job.now, by="rita", to=1)

    assert (news.what, in_force(job)) == ("held", 2)
    answer(job)
    job.run()
    assert job.scores() == {"ada": 30, "bob": 20}


@pytest.mark.parametrize(
    ("to", "told"),
    [
        pytest.param(2, "version 2 of `b2b_saas` did not hold and was rejected; name one", id="rejected"),
        pytest.param(99, "scorecard `b2b_saas` has no version 99; it has 1", id="never there"),
    ],
)
def test_only_to_a_version_that_held_can_be_rolled_back(job, to, told):
    job.write_rules(MILD.replace("points: 11", "points: many"))
    assert [news.what for news in job.adopt()] == ["rejected"]

    with pytest.raises(InputUnreadable, match=told):
        rollback(job.ws, "b2b_saas", at=job.now, by="rita", to=to)
    assert rows(job, tables.plan, tables.plan.c.plan_hash) == []


def test_there_is_nothing_to_roll_back_to_before_the_first_version(job):
    with pytest.raises(InputUnreadable, match="the first that came into force"):
        rollback(job.ws, "b2b_saas", at=job.now, by="rita")


def test_an_edit_at_one_minute_to_midnight_is_planned_again_for_the_new_day(job):
    job.now = datetime(2026, 11, 2, 22, 59, tzinfo=UTC)  # Berlin
    job.write_rules(MILD.replace("points: 11", "points: 11\n    decay: {linear: 10d}"))
    [news] = job.adopt()

    counts = job.run(minutes=2)

    [(first, _), (again, _)] = sorted(
        rows(job, tables.plan, tables.plan.c.as_of, tables.plan.c.plan_hash), key=lambda row: row[0]
    )
    assert (first, again) == (job.now - timedelta(minutes=2), job.now)
    assert find_plan(job.ws, news.plan_hash).as_of == first
    assert job.scores() == {"ada": 30, "bob": 20}  # 11 - 1.1 a view, a day old
    assert counts["CRM calls"] == 0
    assert job.run()["changed"] == 0


def test_two_quick_edits_are_one_change_and_the_skipped_one_is_in_the_audit(job):
    job.write_rules(BOLD)
    job.adopt()
    [skipped] = open_holds(job)
    job.write_rules(MILD)

    [news] = job.adopt()

    assert (news.what, open_holds(job)) == ("activated", [])
    with job.ws.ledger.reading() as connection:
        assert holds.find(connection, skipped.hold_id).ending == "superseded by version 3"
    assert versions(job) == {1: "retired", 2: "discarded", 3: "active"}


def test_an_edit_on_an_edit_whose_rescore_is_owed_is_compared_with_what_everybody_was_scored_under(job):
    job.write_rules(MILD)
    job.adopt()
    job.write_rules(MILD.replace("points: 11", "points: 12"))

    [news] = job.adopt()
    counts = job.run()

    assert find_plan(job.ws, news.plan_hash).old.number == 1
    assert (counts["changed"], job.scores()) == (2, {"ada": 32, "bob": 24})
    assert job.run()["changed"] == 0


def test_edit_and_revert_closes_the_hold_and_writes_nothing(job):
    before = world_of(job)
    job.write_rules(BOLD)
    job.adopt()
    job.write_rules(RULES)

    [news] = job.adopt()

    assert (news.what, open_holds(job), versions(job)) == (
        "unchanged",
        [],
        {1: "active", 2: "discarded"},
    )
    assert job.run()["CRM calls"] == 0
    assert world_of(job) == before


def test_an_edit_that_fires_too_much_is_put_in_force_and_only_its_automation_is_held(job):
    job.ws.policy_file.write_text("crossings: {leads: 1}\n")
    job.write_rules(RULES.replace("fire_when: {score: {at_least: 50}}", "fire_when: {score: {at_least: 15}}"))

    [news] = job.adopt()
    counts = job.run()

    [hold] = open_holds(job)
    assert (news.what, hold.what, hold.automation) == ("activated", "automation", "mql")
    assert find_plan(job.ws, news.plan_hash).automations[0].over_limit
    assert (counts["held"], job.receiver.received) == (2, [])
    assert answer(job) == {"released": 1, "fired": 2}


def test_new_rules_close_the_question_about_a_run_that_was_scored_under_older_ones(job):
    job.visit("ada", number=2)
    job.run()
    [stage] = open_holds(job)
    job.write_rules(MILD)

    job.adopt()
    job.ws.policy_file.write_text("band_moves: {leads: 9}\n")
    job.run()

    with job.ws.ledger.reading() as connection:
        assert holds.find(connection, stage.hold_id).ending == "superseded by version 2"
    assert job.run()["changed"] == 0
    assert job.scores() == {"ada": 53, "bob": 22}


def test_new_thresholds_are_judged_over_stored_scores_and_read_no_fact(job):
    before = dict(rows(job, tables.score, tables.score.c.lead, tables.score.c.as_of))
    job.write_rules(RULES.replace("{A: 50, B: 20, C: 0}", "{A: 50, B: 25, C: 0}").replace("50}", "28}"))
    [news] = job.adopt()
    assert news.what == "held"
    answer(job)
    job.visit("bob")
    job.extract()

    counts = job.finish(job.start())

    assert ("thresholds",) in rows(job, tables.run, tables.run.c.kind)
    assert rows(job, tables.score, tables.score.c.lead, tables.score.c.score, tables.score.c.band) == [
        ("hubspot:ada", 30, "B"),
        ("hubspot:bob", 20, "C"),
    ]
    assert (counts["changed"], counts["fired"]) == (1, 1)
    after = dict(rows(job, tables.score, tables.score.c.lead, tables.score.c.as_of))
    assert after == before
    job.ws.policy_file.write_text("band_moves: {leads: 100}\n")
    job.run()
    assert job.scores()["bob"] == 30, "its mark was kept"


def test_a_dead_triggerer_delays_nothing_and_doubles_nothing(job):
    job.write_rules(MILD)
    job.adopt()
    assert ask_rescore(job.ws, at=job.now) is not None  # rescore_all is on its way

    counts = job.run(minutes=5)
    assert counts["changed"] == 0, "score_leads leaves it to the rescore that was asked for"

    job.now += timedelta(minutes=10)  # it never came
    keys = job.start()
    assert ask_rescore(job.ws, at=job.now) is None, "score_leads is at it"
    assert job.finish(keys)["changed"] == 2
    assert ask_rescore(job.ws, at=job.now + timedelta(hours=1)) is None


def test_a_retry_of_a_planned_rescore_applies_the_same_plan(job):
    job.write_rules(MILD)
    job.adopt()
    first = start_runs(job.ws, run_id="r", as_of=job.now, at=job.now)
    later = job.now + timedelta(minutes=20)

    again = start_runs(job.ws, run_id="r", as_of=later, at=later)
    job.finish(again)

    assert first == again
    assert job.scores() == {"ada": 31, "bob": 22}
    assert job.finish(start_runs(job.ws, run_id="r", as_of=later, at=later))["changed"] == 0


def test_a_planned_rescore_stages_what_every_lead_would_be_under_the_old_rules(job):
    job.write_rules(MILD)
    job.adopt()
    [key] = job.start()
    score(job.ws, key)
    stage_deltas(job.ws, key)

    under = rows(job, tables.stage_score, tables.stage_score.c.lead, tables.stage_score.c.under_old_rules)
    assert under == [
        ("hubspot:ada", '{"score":30,"band":"B","grade":null,"dimensions":{"engagement":10,"fit":20}}'),
        ("hubspot:bob", '{"score":20,"band":"B","grade":null,"dimensions":{"engagement":20,"fit":0}}'),
    ]
