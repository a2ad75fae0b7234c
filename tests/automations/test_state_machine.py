"""Automations: every row of the state machine, one sentence each; policies have a file of their own."""

import pytest

from rescore.automations.state_machine import Standing, State
from tests.automations.leads import (
    FIRED,
    HELD,
    armed_again,
    commit,
    fires,
    mql,
    said,
    starts_fired,
    step,
)
from tests.ledger.world import an_automation, when

MQL = mql()
PLAIN = an_automation("plain", when(score={"at_least": 100}))  # ready again as soon as it no longer holds
DRIFTING = an_automation("drifting", when(engagement={"below": 10}), when(engagement={"at_least": 30}))


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
    assert said(step(MQL, commit(old, new))) == expected


@pytest.mark.parametrize("standing", [FIRED, HELD], ids=["fired", "held"])
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
def test_fired_and_held_are_armed_again_with_the_next_number(automation, new, expected, standing):
    assert said(step(automation, commit(120, new), standing=standing)) == expected


def test_flapping_around_the_threshold_fires_once():
    standing, deliveries, old = Standing(State.ARMED, 1), 0, 50
    for new in (99, 101, 99, 101, 99, 101):
        moved = step(MQL, commit(old, new), standing=standing)
        standing, old = (moved.standing if moved else standing), new
        deliveries += said(moved) == fires()
    assert deliveries == 1


def test_what_arms_again_does_not_fire_in_the_same_commit():
    both = an_automation("both", when(score={"at_least": 100}), when(score={"at_least": 50}))
    assert said(step(both, commit(120, 130), standing=FIRED)) == armed_again(2)


class TestOutsideTheAudience:
    """A null score freezes, and the return is silent."""

    @pytest.mark.parametrize("standing", [Standing(State.ARMED, 1), FIRED, HELD], ids=lambda s: s.state)
    @pytest.mark.parametrize("automation", [MQL, DRIFTING], ids=lambda a: a.id)
    def test_nothing_moves_while_the_score_is_null(self, automation, standing):
        assert step(automation, commit(120, None), standing=standing) is None
        assert step(automation, commit(5, None), standing=standing) is None

    def test_an_armed_lead_that_returns_above_the_threshold_does_not_fire(self):
        assert said(step(MQL, commit(None, 120))) == starts_fired()

    def test_an_armed_lead_that_returns_below_it_goes_on_as_armed(self):
        assert step(MQL, commit(None, 50)) is None

    def test_a_fired_lead_that_returns_low_is_armed_again(self):
        assert said(step(MQL, commit(None, 50), standing=FIRED)) == armed_again(2)

    def test_a_fired_lead_that_returns_high_stays_fired(self):
        assert step(MQL, commit(None, 120), standing=FIRED) is None


class TestAFirstScore:
    """A lead that never had one."""

    def test_fires_what_only_looks_upward(self):
        assert said(step(MQL, commit("never", 120))) == fires()

    def test_starts_as_fired_what_looks_down(self):
        assert said(step(DRIFTING, commit("never", 5))) == starts_fired()

    def test_leaves_armed_what_does_not_hold(self):
        assert step(DRIFTING, commit("never", 20)) is None
        assert step(MQL, commit("never", 20)) is None

    def test_fires_nothing_while_the_first_load_runs(self):
        assert said(step(MQL, commit("never", 120), may_fire=False)) == starts_fired()
        assert said(step(MQL, commit(50, 120), may_fire=False)) == starts_fired()


class TestANewAutomation:
    """It meets leads that were scored before it existed."""

    def meet(self, old, new, **more):
        return said(step(MQL, commit(old, new, newborn=frozenset({"mql"})), **more))

    def test_ignores_what_was_already_past(self):
        assert self.meet(120, 120) == starts_fired()
        assert self.meet(120, 130) == starts_fired()

    def test_fires_a_real_crossing_of_the_same_commit(self):
        assert self.meet(50, 120) == fires()

    def test_is_armed_again_when_what_was_past_is_over(self):
        assert self.meet(120, 50) == armed_again(2)

    def test_is_silent_for_a_lead_that_returns(self):
        assert self.meet(None, 120) == starts_fired()

    def test_finds_its_place_with_a_lead_that_leaves(self):
        assert self.meet(120, None) == starts_fired()
        assert self.meet(50, None) is None

    @pytest.mark.parametrize(
        ("standing", "n"),
        [(Standing(State.FIRED, 3), 4), (Standing(State.ARMED, 3), 3)],
        ids=["fired", "armed"],
    )
    def test_that_comes_back_starts_anew_with_a_number_never_used(self, standing, n):
        assert self.meet(50, 120, standing=standing) == fires(n)
        assert self.meet(120, 120, standing=standing) == starts_fired(n)
