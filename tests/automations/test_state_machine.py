"""Automations: every row of the state machine, one sentence each."""

import pytest

from rescore.automations import (
    FRESH,
    Machine,
    Standing,
    State,
    Transition,
    delivery_id,
    holds,
    only_looks_upward,
)
from rescore.rules.card import AllOf, AnyOf, Band, Not
from tests.ledger.world import an_automation, when

BANDS = (Band("A", 100_000), Band("B", 50_000), Band("C", 0))
FIRED = Standing(State.FIRED, 1)

MQL = an_automation("mql", when(score={"at_least": 100}), when(score={"below": 85}))
PLAIN = an_automation("plain", when(score={"at_least": 100}))  # ready again as soon as it no longer holds
DRIFTING = an_automation("drifting", when(engagement={"below": 10}), when(engagement={"at_least": 30}))


def values(score: int | None, **more: int | str | None) -> dict[str, int | str | None]:
    return {"score": score, "band": None, "engagement": score, **more}


def step(automation, old, new, *, standing=FRESH, newborn=False, may_fire=True) -> Transition | None:
    """`old` None: never scored; a score of None inside: outside the audience."""
    return Machine(automation, BANDS).step(standing, old, new, newborn=newborn, may_fire=may_fire)


def fires(n=1) -> Transition:
    return Transition(Standing(State.FIRED, n), fires=True)


def starts_fired(n=1) -> Transition:
    return Transition(Standing(State.FIRED, n), fires=False)


def armed_again(n) -> Transition:
    return Transition(Standing(State.ARMED, n), fires=False)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(99, 100, fires(), id="lands exactly on the threshold"),
        pytest.param(99, 180, fires(), id="jumps far over it"),
        pytest.param(20, 99, None, id="stays below"),
        pytest.param(85, 120, fires(), id="was between the two thresholds"),
        pytest.param(150, 120, fires(), id="holds already, because its threshold was moved down"),
    ],
)
def test_armed_fires_when_its_condition_holds(old, new, expected):
    assert step(MQL, values(old), values(new)) == expected


@pytest.mark.parametrize(
    ("automation", "new", "expected"),
    [
        pytest.param(MQL, 130, None, id="still above"),
        pytest.param(MQL, 85, None, id="not low enough"),
        pytest.param(MQL, 84, armed_again(2), id="low enough"),
        pytest.param(PLAIN, 100, None, id="without ready_again_when, still true"),
        pytest.param(PLAIN, 99, armed_again(2), id="without ready_again_when, no longer true"),
    ],
)
def test_fired_is_armed_again_with_the_next_number(automation, new, expected):
    assert step(automation, values(120), values(new), standing=FIRED) == expected


def test_flapping_around_the_threshold_fires_once():
    standing, deliveries, old = FRESH, 0, values(50)
    for score in (99, 101, 99, 101, 99, 101):
        new = values(score)
        moved = step(MQL, old, new, standing=standing)
        standing, old = (moved.standing if moved else standing), new
        deliveries += bool(moved and moved.fires)
    assert deliveries == 1


def test_what_arms_again_does_not_fire_in_the_same_commit():
    both = an_automation("both", when(score={"at_least": 100}), when(score={"at_least": 50}))
    assert step(both, values(120), values(130), standing=FIRED) == armed_again(2)


class TestOutsideTheAudience:
    """A null score freezes, and the return is silent."""

    @pytest.mark.parametrize("standing", [FRESH, FIRED], ids=["armed", "fired"])
    def test_nothing_moves_while_the_score_is_null(self, standing):
        assert step(MQL, values(120), values(None), standing=standing) is None
        assert step(DRIFTING, values(5), values(None), standing=standing) is None

    def test_an_armed_lead_that_returns_above_the_threshold_does_not_fire(self):
        assert step(MQL, values(None), values(120)) == starts_fired()

    def test_an_armed_lead_that_returns_below_it_goes_on_as_armed(self):
        assert step(MQL, values(None), values(50)) is None

    def test_a_fired_lead_that_returns_low_is_armed_again(self):
        assert step(MQL, values(None), values(50), standing=FIRED) == armed_again(2)

    def test_a_fired_lead_that_returns_high_stays_fired(self):
        assert step(MQL, values(None), values(120), standing=FIRED) is None


class TestAFirstScore:
    """A lead that never had one."""

    def test_fires_what_only_looks_upward(self):
        assert step(MQL, None, values(120)) == fires()

    def test_starts_as_fired_what_looks_down(self):
        assert step(DRIFTING, None, values(5)) == starts_fired()

    def test_leaves_armed_what_does_not_hold(self):
        assert step(DRIFTING, None, values(20)) is None
        assert step(MQL, None, values(20)) is None

    def test_fires_nothing_while_the_first_load_runs(self):
        assert step(MQL, None, values(120), may_fire=False) == starts_fired()
        assert step(MQL, values(50), values(120), may_fire=False) == starts_fired()


class TestANewAutomation:
    """It meets leads that were scored before it existed."""

    def test_ignores_what_was_already_past(self):
        assert step(MQL, values(120), values(120), newborn=True) == starts_fired()
        assert step(MQL, values(120), values(130), newborn=True) == starts_fired()

    def test_fires_a_real_crossing_of_the_same_commit(self):
        assert step(MQL, values(50), values(120), newborn=True) == fires()

    def test_is_armed_again_when_what_was_past_is_over(self):
        assert step(MQL, values(120), values(50), newborn=True) == armed_again(2)

    def test_is_silent_for_a_lead_that_returns(self):
        assert step(MQL, values(None), values(120), newborn=True) == starts_fired()

    @pytest.mark.parametrize(
        ("standing", "n"),
        [(Standing(State.FIRED, 3), 4), (Standing(State.ARMED, 3), 3)],
        ids=["fired", "armed"],
    )
    def test_that_comes_back_starts_anew_with_a_number_never_used(self, standing, n):
        assert step(MQL, values(50), values(120), standing=standing, newborn=True) == fires(n)
        assert step(MQL, values(120), values(120), standing=standing, newborn=True) == starts_fired(n)


@pytest.mark.parametrize(
    ("condition", "upward"),
    [
        pytest.param(when(score={"at_least": 100}), True, id="at least"),
        pytest.param(when(score={"above": 100}, fit={"at_least": 20}), True, id="all of upward parts"),
        pytest.param(AnyOf((when(score={"above": 1}), when(fit={"above": 1}))), True, id="any of them"),
        pytest.param(Not(when(score={"below": 100})), True, id="not below"),
        pytest.param(Not(Not(when(score={"above": 100}))), True, id="not not above"),
        pytest.param(when(band={"equals": "A"}), True, id="the top band"),
        pytest.param(when(band={"in": ["a", "B"]}), True, id="the two top bands, in any case"),
        pytest.param(Not(when(band={"in": ["C", "B"]})), True, id="not the lowest bands"),
        pytest.param(AllOf(()), True, id="always"),
        pytest.param(when(score={"below": 10}), False, id="below"),
        pytest.param(when(score={"at_most": 10}), False, id="at most"),
        pytest.param(Not(when(score={"at_least": 10})), False, id="not at least"),
        pytest.param(when(score={"at_least": 100}, fit={"below": 5}), False, id="one part looks down"),
        pytest.param(when(score={"between": [50, 80]}), False, id="between"),
        pytest.param(when(score={"equals": 50}), False, id="equals"),
        pytest.param(when(band={"equals": "B"}), False, id="a middle band"),
        pytest.param(when(band={"in": ["A", "C"]}), False, id="bands with a gap"),
    ],
)
def test_only_looks_upward(condition, upward):
    assert only_looks_upward(condition, BANDS) is upward


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(when(score={"at_least": 60}), True, id="at least"),
        pytest.param(when(score={"above": 60}), False, id="above"),
        pytest.param(when(score={"at_most": 60}), True, id="at most"),
        pytest.param(when(score={"below": 60}), False, id="below"),
        pytest.param(when(score={"below": 60.5}), True, id="a literal between whole points"),
        pytest.param(when(score={"between": [60, 70]}), True, id="between, inclusive"),
        pytest.param(when(score={"equals": 60}), True, id="equals"),
        pytest.param(when(score={"in": [1, 60]}), True, id="in"),
        pytest.param(when(band={"equals": "b"}), True, id="bands fold case"),
        pytest.param(when(band={"in": ["A", "C"]}), False, id="band not in"),
        pytest.param(when(fit={"below": 10}), False, id="a missing value is false"),
        pytest.param(Not(when(fit={"below": 10})), True, id="and its not is true"),
        pytest.param(when(fit={"exists": False}), True, id="exists"),
        pytest.param(AnyOf(()), False, id="any of nothing"),
    ],
)
def test_conditions_over_committed_values(condition, expected):
    assert holds(condition, {"score": 60, "band": "B", "fit": None}) is expected


def test_a_delivery_id_is_the_same_for_the_same_crossing_and_different_for_any_other():
    one = ("b2b", "mql", "crm:1", 1, 0)
    assert delivery_id(*one) == delivery_id(*one) == "95d3855f-4e37-5c67-ae95-733fc63c3584"
    others = {delivery_id(*one[:i], x, *one[i + 1 :]) for i, x in enumerate(("c", "m", "crm:2", 2, 1))}
    assert len(others | {delivery_id(*one)}) == 6
