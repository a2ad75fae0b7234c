"""What may happen without asking a person, and what may not."""

from dataclasses import replace
from fractions import Fraction

import pytest

from rescore.policy.limits import AutomationMeasure, ExtractMeasure, Limits, Measures, judge

LIMITS = Limits()
QUIET = Measures(banded=1000, band_moves=0)


def stage_reasons(measures, approved=None):
    return judge(measures, LIMITS, approved=approved).stage_reasons


@pytest.mark.parametrize(
    ("banded", "moves", "held"),
    [
        pytest.param(1000, 200, False, id="as many as always may"),
        pytest.param(1000, 201, True, id="one more"),
        pytest.param(5000, 1000, False, id="a fifth of many"),
        pytest.param(5000, 1001, True, id="more than a fifth"),
        pytest.param(0, 0, False, id="nobody had a band"),
    ],
)
def test_a_stage_is_held_when_too_many_banded_leads_change_band(banded, moves, held):
    assert bool(stage_reasons(Measures(banded=banded, band_moves=moves))) == held


def test_first_bands_are_counted_apart_and_never_held():
    assert stage_reasons(replace(QUIET, first_bands=100_000)) == ()


def test_a_reason_names_the_figures_and_the_limit():
    assert stage_reasons(Measures(banded=1000, band_moves=401)) == (
        "401 of 1,000 banded leads change band; 200 may without asking",
    )


@pytest.mark.parametrize(
    ("seen", "expected", "held"),
    [
        pytest.param(240, 480.0, False, id="half of what is usual"),
        pytest.param(239, 480.0, True, id="less than half"),
        pytest.param(0, 480.0, True, id="nothing at all"),
        pytest.param(0, 99.0, False, id="a stream that is usually small says nothing"),
        pytest.param(5000, 480.0, False, id="far more than usual"),
    ],
)
def test_a_short_extract_holds_the_stage(seen, expected, held):
    measures = replace(QUIET, extracts=(ExtractMeasure("hubspot", "activities", seen, expected),))
    assert bool(stage_reasons(measures)) == held


@pytest.mark.parametrize(
    ("mql", "over"),
    [
        pytest.param({"crossings": 25}, None, id="as many as always may"),
        pytest.param({"crossings": 26}, 26, id="one more"),
        pytest.param({"crossings": 60, "usual_daily": 20.0}, None, id="three usual days"),
        pytest.param({"crossings": 61, "usual_daily": 20.0}, 61, id="more than three usual days"),
        pytest.param({"crossings": 30, "max_per_run": 50}, None, id="its own max_per_run is higher"),
        pytest.param({"crossings": 11, "max_per_run": 10}, 11, id="its own max_per_run is lower"),
        pytest.param({"crossings": 1, "max_per_run": 0}, 1, id="none without asking"),
        pytest.param({"crossings": 5, "fired_today": 6, "max_per_day": 10}, 5, id="max_per_day"),
        pytest.param({"crossings": 0, "fired_today": 60, "max_per_day": 10}, None, id="nothing to hold"),
        pytest.param({"crossings": 90, "by_rules": 70, "on_rules_change": "fire"}, None, id="told to fire"),
        pytest.param({"crossings": 3, "by_rules": 2, "on_rules_change": "hold"}, 2, id="told to hold"),
        pytest.param({"crossings": 3, "by_rules": 0, "on_rules_change": "hold"}, None, id="not by rules"),
    ],
)
def test_an_automation_over_its_limit_is_held_alone(mql, over):
    verdict = judge(replace(QUIET, automations=(AutomationMeasure("mql", **mql),)), LIMITS)

    assert verdict.stage_reasons == ()
    assert [held.crossings for held in verdict.automations] == ([] if over is None else [over])


@pytest.mark.parametrize(
    ("cancelled", "held"), [pytest.param(25, False, id="few"), pytest.param(26, True, id="too many")]
)
def test_removing_an_automation_counts_as_much_as_its_crossings(cancelled, held):
    mql = AutomationMeasure("mql", crossings=0, cancelled=cancelled)
    measures = replace(QUIET, automations=(mql,))
    assert bool(stage_reasons(measures)) == held
    assert stage_reasons(measures, approved=measures) == ()


def test_only_what_the_rules_caused_is_held_under_on_rules_change_hold():
    mql = AutomationMeasure("mql", crossings=3, by_rules=2, on_rules_change="hold")
    [over] = judge(replace(QUIET, automations=(mql,)), LIMITS).automations
    assert over.only_by_rules


@pytest.mark.parametrize(
    ("moves", "held"),
    [
        pytest.param(400, False, id="what was approved"),
        pytest.param(440, False, id="a little more"),
        pytest.param(441, True, id="worse"),
    ],
)
def test_what_was_approved_is_held_again_only_when_it_is_worse(moves, held):
    approved = Measures(banded=1000, band_moves=400)
    assert bool(stage_reasons(Measures(banded=1000, band_moves=moves), approved)) == held


def test_a_released_automation_may_fire_what_was_approved():
    def mql(crossings):
        return replace(QUIET, automations=(AutomationMeasure("mql", crossings=crossings),))

    assert judge(mql(100), LIMITS, approved=mql(100)).automations == ()
    assert judge(mql(120), LIMITS, approved=mql(100)).automations != ()


def test_every_limit_can_be_set():
    tight = Limits(band_moves=0, band_moves_share=Fraction(0), crossings=0, crossings_times_usual=Fraction(0))
    measures = Measures(banded=10, band_moves=1, automations=(AutomationMeasure("mql", crossings=1),))
    verdict = judge(measures, tight)
    assert (len(verdict.stage_reasons), len(verdict.automations), len(verdict.reasons)) == (1, 1, 2)


def test_measures_can_be_kept_as_json():
    measures = replace(
        QUIET,
        automations=(AutomationMeasure("mql", crossings=3, usual_daily=1.5),),
        extracts=(ExtractMeasure("hubspot", "activities", 1, 480.5),),
    )
    assert Measures.read(measures.as_json()) == measures
