"""A plan says what a rescore then does, and changes nothing itself."""

import json
import stat
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from rescore.errors import InputUnreadable
from rescore.ledger import tables
from rescore.ledger.scores import marks
from rescore.plan.make import find_plan, is_stale, plan_results
from rescore.plan.report_html import html
from rescore.plan.report_markdown import markdown
from rescore.scoring.engine import score

EIGHT_POINTS = ("points: 10", "points: 8")
FIRE_AT_40 = ("score: {at_least: 50}", "score: {at_least: 40}")
BAND_A_AT_40 = ("A: 50", "A: 40")
MORE_POINTS = ("points: 10", "points: 20")
HALVING = ("points: 10", "points: 20\n    decay: {half_life: 14d}")
HOT = "  - {id: hot, fire_when: {score: {at_least: 60}}, do: [{webhook: {connection: sales_alerts}}]}\n"
NEW_AUTOMATION = ("automations:\n", f"automations:\n{HOT}")


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([EIGHT_POINTS], id="fewer points"),
        pytest.param([HALVING], id="more points that fade"),
        pytest.param([FIRE_AT_40], id="a lower threshold"),
        pytest.param([BAND_A_AT_40], id="a lower band"),
        pytest.param([HALVING, BAND_A_AT_40, FIRE_AT_40], id="all of it"),
        pytest.param([NEW_AUTOMATION], id="a new automation"),
    ],
)
def test_the_rescore_does_what_the_plan_said(planning, edits):
    plan = planning.plan(*edits)
    planning.activate(*edits)
    done = planning.job.finish(planning.job.start(everybody=True))
    [target] = plan.targets
    assert (target.leads, target.calls) == (done["changed"], done["CRM calls"])
    assert sum(automation.fires for automation in plan.automations) == done["fired"]
    assert sum(automation.ready_again for automation in plan.automations) == done["ready_again"]
    assert sum(automation.started_fired for automation in plan.automations) == done["started_fired"]
    assert plan.leads.changed or done["fired"] or done["started_fired"], "the edit should do something"


@pytest.mark.parametrize(
    ("edits", "everybody", "suppressed"),
    [
        pytest.param([MORE_POINTS], True, True, id="its facts are scored with new points"),
        pytest.param([FIRE_AT_40], False, False, id="stored scores have none of its facts"),
    ],
)
def test_what_a_history_sets_off_is_suppressed_in_the_plan_and_in_the_rescore(
    planning, edits, everybody, suppressed
):
    with planning.ws.ledger.transaction() as connection:
        everyone = [lead for (lead,) in connection.execute(select(tables.score.c.lead))]
        old = planning.job.now - timedelta(days=400)
        marks.mark_dirty(connection, "b2b_saas", dict.fromkeys(everyone, old), 1, history=True)
    [mql] = planning.plan(*edits).automations
    planning.activate(*edits)
    done = planning.job.finish(planning.job.start(everybody=everybody))
    assert (mql.fires, sum(mql.suppressed.values())) == (done["fired"], done["suppressed"])
    assert bool(mql.suppressed) is suppressed
    assert bool(mql.fires) is not suppressed


def test_results_of_a_registered_version_are_what_a_rescore_would_compute(planning):
    version = planning.register(HALVING)
    plan = planning.plan(HALVING, version=version)
    rows = pq.read_table(plan_results(planning.ws, plan.plan_hash)).sort_by("lead")
    with planning.ws.lake.facts() as facts:
        new = score(planning.card(HALVING), facts, as_of=planning.job.now).sort_by("lead")
        old = score(planning.card(), facts, as_of=planning.job.now).sort_by("lead")
    assert rows.select(new.column_names).to_pylist() == new.to_pylist()
    assert rows["old score"].to_pylist() == old["score"].to_pylist()
    assert rows["old band"].to_pylist() == old["band"].to_pylist()


def test_a_plan_is_found_again_as_it_was_made(planning):
    plan = planning.plan(HALVING, version=planning.register(HALVING), split="industry")
    assert find_plan(planning.ws, plan.plan_hash) == plan


def test_the_same_edit_at_the_same_moment_is_the_same_plan(planning):
    assert planning.plan(HALVING) == planning.plan(HALVING)
    assert planning.plan(HALVING).plan_hash != planning.plan(EIGHT_POINTS).plan_hash


def test_an_edit_of_words_changes_nothing(planning):
    plan = planning.plan(("timezone:", "description: Ours\ntimezone:"))
    assert (plan.wakes, plan.opening_line()) == ("wording", "nothing changes")
    assert plan.verdict.reasons == ()


def test_planning_leaves_the_ledger_as_it_was(planning):
    def contents():
        with planning.ws.ledger.reading() as connection:
            return {
                name: sorted(map(repr, connection.execute(select(table))))
                for name, table in tables.metadata.tables.items()
            }

    before = contents()
    planning.plan(HALVING)
    assert contents() == before


def test_a_registered_plan_has_its_counts_in_the_ledger_and_no_lead(planning):
    plan = planning.plan(HALVING, version=planning.register(HALVING), split="industry")
    with planning.ws.ledger.reading() as connection:
        [row] = connection.execute(select(tables.plan))
    assert (row.plan_hash, row.new_version, row.as_of) == (plan.plan_hash, 2, planning.job.now)
    assert json.loads(row.summary) == json.loads(json.dumps(plan.summary()))
    assert not any(word in row.summary for word in ("hubspot:", "Machinery", "Director"))


def test_reports_are_for_their_owner_only(planning):
    plan = planning.plan(HALVING)
    folder = planning.ws.reports_dir / plan.plan_hash
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    assert modes == {folder.name: 0o700, "plan.json": 0o600, "plan.md": 0o600, "report.html": 0o600}


def test_examples_are_explained_under_both_versions(planning):
    plan = planning.plan(HALVING)
    examples = plan.examples
    assert examples.random
    for example in (*examples.up, *examples.down, *examples.random):
        assert example.old.score != example.new.score
    assert all(example.new.score > example.old.score for example in examples.up)
    assert all(example.new.score < example.old.score for example in examples.down)


def test_a_split_has_every_lead_in_one_group(planning):
    split = planning.plan(HALVING, split="industry").split
    assert [group.value for group in split.groups][-1] == "no value"
    assert sum(group.leads for group in split.groups) == 40
    assert {"Machinery", "Logistics", "Retail"} < {group.value for group in split.groups}


def test_a_split_by_what_nobody_has_names_what_there_is(planning):
    with pytest.raises(InputUnreadable, match="no lead has an attribute `shoe_size`; there is industry, job"):
        planning.plan(HALVING, split="shoe_size")


def test_without_rules_in_force_there_is_nothing_to_compare_with(planning):
    with pytest.raises(InputUnreadable, match="no version of `other` is in force"):
        planning.plan(("scorecard: b2b_saas", "scorecard: b2b_saas"), scorecard="other")


def test_a_plan_is_stale_after_local_midnight_and_after_a_day(planning):
    plan, card, now = planning.plan(HALVING), planning.card(HALVING), planning.job.now
    assert not is_stale(plan, card, now.replace(hour=22, minute=59))
    assert is_stale(plan, card, now.replace(hour=23, minute=0))  # midnight in Berlin


BURSTS = "quarantine:\n  - {id: bursts, activity: page_view, burst: {count: 2, within: 10s}}\n"
QUARANTINE = ("automations:\n", f"{BURSTS}automations:\n")


def test_a_plan_that_touches_the_quarantine_says_how_much_is_in_it(planning):
    told = planning.plan(QUARANTINE)
    assert (told.quarantine.old.activities, told.quarantine.old.leads) == (0, 0)
    assert told.quarantine.new.activities >= 2
    held = f"{told.quarantine.new.activities:,} activities of {told.quarantine.new.leads:,} leads"
    assert f"In quarantine: nothing now, {held} then." in markdown(told)
    assert f"In quarantine: nothing now, {held} then." in html(told)
    assert find_plan(planning.ws, told.plan_hash) == told
    assert planning.plan(EIGHT_POINTS).quarantine is None
