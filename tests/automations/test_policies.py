"""Policies: what keeps a crossing from firing, and what makes a lead start as fired or be ready again."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rescore.automations.score_conditions import test_of as as_test
from rescore.automations.state_machine import Judge, OldRules, Outcome, Restraint, Standing, State
from rescore.rules.card import ALWAYS, Dimension, Range, Scorecard
from tests.automations.leads import (
    BANDS,
    DAY,
    FIRED,
    HELD,
    NOW,
    armed_again,
    commit,
    fires,
    mql,
    said,
    starts_fired,
    step,
    suppressed,
    values,
)
from tests.ledger.world import an_automation, when

NEWBORN = frozenset({"mql"})
UNLESS = frozenset({"mql unless"})
ALREADY_FIRED = frozenset({"mql already_fired"})

DRIFTING = when(score={"below": 10})


def old_rules(at_least: int | None, score: int | None) -> OldRules:
    """The old rules had the automation fire at so much (None: not at all), and give the lead this score."""
    fires_at = {} if at_least is None else {"mql": as_test(when(score={"at_least": at_least}))}
    return OldRules(fires_at, values(score))


class TestFirstSeen:
    """`first_seen` overrides what the direction of `fire_when` says of a lead's first score."""

    def test_fire_lets_a_condition_fire_that_looks_down(self):
        drifting = an_automation("drifting", DRIFTING, first_seen="fire")
        assert said(step(drifting, commit("never", 5))) == fires()

    def test_ignore_keeps_one_from_firing_that_looks_up(self):
        assert said(step(mql(first_seen="ignore"), commit("never", 120))) == starts_fired()
        assert step(mql(first_seen="ignore"), commit("never", 20)) is None

    def test_it_says_nothing_of_later_scores_nor_of_leads_that_return(self):
        assert said(step(mql(first_seen="ignore"), commit(20, 120))) == fires()
        assert said(step(mql(first_seen="fire"), commit(None, 120))) == starts_fired()


class TestAlreadyPast:
    """`already_past: fire`: a new automation fires for leads whose old values satisfy it."""

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            pytest.param(120, 120, fires(), id="still true"),
            pytest.param(120, 50, None, id="no longer true"),
            pytest.param(50, 120, fires(), id="a real crossing"),
            pytest.param(None, 120, starts_fired(), id="returns to the audience"),
            pytest.param(120, None, None, id="leaves the audience"),
        ],
    )
    def test_fire(self, old, new, expected):
        assert said(step(mql(already_past="fire"), commit(old, new, newborn=NEWBORN))) == expected

    def test_it_is_caused_by_the_rules(self):
        past = step(
            mql(already_past="fire"), commit(120, 120, newborn=NEWBORN, old_rules=old_rules(None, 120))
        )
        assert past is not None
        assert past.by_rules

    def test_it_was_asked_for_so_suppressing_rules_changes_does_not_concern_it(self):
        both = mql(already_past="fire", on_rules_change="suppress")
        change = old_rules(None, 120)
        assert said(step(both, commit(120, 120, newborn=NEWBORN, old_rules=change))) == fires()


class TestAlreadyFired:
    """A lead for which the condition holds when the automation meets it first starts as fired."""

    def test_with_a_new_automation(self):
        met = commit(90, 120, newborn=NEWBORN, flags=ALREADY_FIRED)
        assert said(step(mql(already_past="fire"), met)) == starts_fired()

    def test_with_a_new_lead(self):
        assert said(step(mql(), commit("never", 120, flags=ALREADY_FIRED))) == starts_fired()
        assert said(step(mql(), commit("never", 90, flags=ALREADY_FIRED))) == starts_fired()

    def test_in_the_first_load(self):
        met = commit("never", 90, flags=ALREADY_FIRED)
        assert said(step(mql(), met, may_fire=False)) == starts_fired()

    def test_and_is_ready_again_like_any_that_fired(self):
        assert said(step(mql(), commit("never", 50, flags=ALREADY_FIRED))) == armed_again(2)

    def test_outside_the_audience_it_waits_for_the_return(self):
        assert said(step(mql(), commit(50, None, newborn=NEWBORN, flags=ALREADY_FIRED))) == starts_fired()
        assert step(mql(), commit("never", None, flags=ALREADY_FIRED)) is None

    def test_once_only(self):
        assert said(step(mql(), commit(50, 120, flags=ALREADY_FIRED))) == fires()


class TestUnless:
    """Lead conditions that suppress a crossing."""

    def test_the_crossing_is_used_up(self):
        assert said(step(mql(), commit(50, 120, flags=UNLESS))) == suppressed("`unless` holds")

    def test_it_speaks_of_its_own_automation_only(self):
        assert said(step(mql(), commit(50, 120, flags=frozenset({"other unless"})))) == fires()

    def test_where_nothing_crosses_it_says_nothing(self):
        assert step(mql(), commit(50, 90, flags=UNLESS)) is None

    def test_a_crossing_that_is_held_ends(self):
        assert said(step(mql(), commit(120, 120, flags=UNLESS), standing=HELD)) == suppressed(
            "`unless` holds"
        )


class TestCooldown:
    """So many calendar days after a firing the next one is suppressed."""

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            pytest.param(29, suppressed("fired less than 30 days ago", 2), id="just too soon"),
            pytest.param(30, fires(2), id="just over"),
        ],
    )
    def test_it_ends_on_the_day(self, days, expected):
        again = commit(50, 120, last_fired={"mql": NOW - days * DAY})
        assert said(step(mql(cooldown=30), again, standing=Standing(State.ARMED, 2))) == expected

    def test_days_are_those_of_the_scorecards_zone(self):
        late, early = (datetime(2026, 11, day, 23, 30, tzinfo=UTC) for day in (19, 18))  # 00:30 the next day
        for fired, expected in ((late, suppressed("fired less than 1 day ago")), (early, fires())):
            assert said(step(mql(cooldown=1), commit(50, 120, last_fired={"mql": fired}))) == expected

    def test_without_one_no_firing_is_too_recent(self):
        assert said(step(mql(), commit(50, 120, last_fired={"mql": NOW}))) == fires()


class TestMaxAge:
    """A crossing that only late facts cause is suppressed when the newest of them is too old."""

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            pytest.param(7, fires(), id="just young enough"),
            pytest.param(8, suppressed("what caused it is older than 7 days"), id="too old"),
        ],
    )
    def test_it_ends_on_the_day(self, days, expected):
        assert said(step(mql(max_age=7), commit(50, 120, facts_until=NOW - days * DAY))) == expected

    def test_what_crosses_without_new_facts_crosses_now(self):
        assert said(step(mql(max_age=7), commit(50, 120))) == fires()

    def test_a_new_lead_with_an_old_history_is_no_exception(self):
        old = commit("never", 120, facts_until=NOW - 30 * DAY)
        assert said(step(mql(max_age=7), old)) == suppressed("what caused it is older than 7 days")


class TestOnlyNewRules:
    """A crossing is the rules' when the old rules would not have made it at the same moment."""

    @pytest.mark.parametrize(
        ("change", "by_rules"),
        [
            pytest.param(None, False, id="judged by these rules before"),
            pytest.param(old_rules(100, 120), False, id="the old rules fire too"),
            pytest.param(old_rules(100, 60), True, id="the points changed"),
            pytest.param(old_rules(150, 120), True, id="the threshold was moved"),
            pytest.param(old_rules(100, None), True, id="the audience was widened"),
            pytest.param(old_rules(None, 120), False, id="a new automation, and a real crossing"),
            pytest.param(OldRules({}, None), True, id="nobody knows"),
        ],
    )
    def test_which_they_are(self, change, by_rules):
        found = step(mql(), commit(50, 120, old_rules=change))
        assert found is not None
        assert (found.outcome, found.by_rules) == (Outcome.FIRED, by_rules)

    def test_suppress(self):
        automation = mql(on_rules_change="suppress")
        theirs = commit(50, 120, old_rules=old_rules(100, 60))
        assert said(step(automation, theirs)) == suppressed("only new rules cause it")
        real = commit(50, 120, old_rules=old_rules(100, 120))
        assert said(step(automation, real)) == fires()

    @pytest.mark.parametrize("answer", ["gate", "fire", "hold"])
    def test_the_other_answers_leave_it_to_the_gate(self, answer):
        theirs = commit(50, 120, old_rules=old_rules(100, 60))
        assert said(step(mql(on_rules_change=answer), theirs)) == fires()


def test_the_first_policy_that_suppresses_is_named():
    automation = mql(on_rules_change="suppress", max_age=7, cooldown=30)
    everything = {
        "flags": UNLESS,
        "old_rules": old_rules(100, 60),
        "facts_until": NOW - 30 * DAY,
        "last_fired": {"mql": NOW},
    }
    reasons = []
    while True:
        found = step(automation, commit(50, 120, **everything))
        assert found is not None
        if found.reason is None:
            break
        reasons.append(found.reason)
        everything.pop(next(iter(everything)))
    assert reasons == [
        "`unless` holds",
        "only new rules cause it",
        "what caused it is older than 7 days",
        "fired less than 30 days ago",
    ]


class TestRestart:
    """Sales hands a lead back: an automation that fired before that is ready again."""

    def test_it_is_armed_with_the_next_number(self):
        since = Standing(State.FIRED, 1, since=NOW - 3 * DAY)
        handed_back = commit(120, 110, restarted_at=NOW - DAY)
        assert said(step(mql(), handed_back, standing=since)) == armed_again(2)

    def test_one_that_fired_after_the_restart_stays_fired(self):
        since = Standing(State.FIRED, 1, since=NOW - DAY)
        assert step(mql(), commit(120, 110, restarted_at=NOW - 3 * DAY), standing=since) is None

    def test_a_held_crossing_ends(self):
        since = Standing(State.HELD, 1, since=NOW - 3 * DAY)
        handed_back = commit(120, 110, restarted_at=NOW - DAY)
        assert said(step(mql(), handed_back, standing=since)) == armed_again(2)

    def test_one_that_is_armed_goes_on(self):
        assert said(step(mql(), commit(50, 120, restarted_at=NOW))) == fires()


def card(*automations) -> Scorecard:
    return Scorecard(
        id="b2b",
        description="",
        timezone=ZoneInfo("Europe/Berlin"),
        total=Range(),
        dimensions=(Dimension("engagement", Range()),),
        rules=(),
        audience=ALWAYS,
        bands=BANDS,
        automations=automations,
    )


def ladder(**policies):
    """Three automations of one group, the highest last, and one of none."""
    steps = {"warm": 50, "hot": 100, "boiling": 200}
    group = (
        an_automation(name, when(score={"at_least": at}), group="ladder", **policies.get(name, {}))
        for name, at in steps.items()
    )
    return card(*group, an_automation("any", when(score={"at_least": 1})))


class TestAGroup:
    """Of several automations of one group only the last in the file fires in one commit."""

    def judged(self, cards, what, standings=None, **gate):
        found = Judge(cards, **gate).judge(what, standings or {})
        return {each.automation.id: said(each)[:2] + said(each)[3:] for each in found}

    def test_a_jump_over_several_fires_the_highest_of_them(self):
        assert self.judged(ladder(), commit(0, 150)) == {
            "warm": (Outcome.SUPPRESSED, State.FIRED, "`hot` of the same group fires"),
            "hot": (Outcome.FIRED, State.FIRED),
            "any": (Outcome.FIRED, State.FIRED),
        }

    def test_step_by_step_each_fires(self):
        assert self.judged(ladder(), commit(50, 110), {"warm": FIRED, "any": FIRED}) == {
            "hot": (Outcome.FIRED, State.FIRED)
        }

    def test_one_that_is_suppressed_leaves_the_place_to_the_next(self):
        found = self.judged(ladder(hot={"max_age": 7}), commit(0, 150, facts_until=NOW - 30 * DAY))
        assert found["warm"] == (Outcome.FIRED, State.FIRED)
        assert found["hot"][0] is Outcome.SUPPRESSED

    def test_one_that_is_held_keeps_its_place(self):
        gate = {"restrained": {"hot": Restraint("too many", hold_id="h1")}}
        found = self.judged(ladder(), commit(0, 150), **gate)
        assert found["warm"][0] is Outcome.SUPPRESSED
        assert found["hot"] == (Outcome.HELD, State.HELD, "too many")

    def test_without_a_group_each_fires_in_the_order_of_the_file(self):
        cards = card(*(an_automation(name, when(score={"at_least": 50})) for name in ("b", "a", "c")))
        assert [each.automation.id for each in Judge(cards).judge(commit(0, 60), {})] == ["b", "a", "c"]


class TestTheGate:
    """It restrains the crossings of one automation and leaves the others alone."""

    def judged(self, restraint, what):
        automations = card(mql(), an_automation("warm", when(score={"at_least": 50})))
        found = Judge(automations, restrained={"mql": restraint}).judge(what, {})
        return {each.automation.id: said(each) for each in found}

    def test_with_a_hold_they_wait(self):
        assert self.judged(Restraint("too many", hold_id="h1"), commit(0, 120)) == {
            "mql": (Outcome.HELD, State.HELD, 1, "too many"),
            "warm": fires(),
        }

    def test_without_a_hold_they_are_suppressed(self):
        assert self.judged(Restraint("released without automations"), commit(0, 120)) == {
            "mql": suppressed("released without automations"),
            "warm": fires(),
        }

    def test_only_those_of_the_rules_if_it_says_so(self):
        restraint = Restraint("on_rules_change", hold_id="h1", only_by_rules=True)
        assert self.judged(restraint, commit(0, 120))["mql"] == fires()
        theirs = commit(0, 120, old_rules=OldRules({}, None))
        assert self.judged(restraint, theirs)["mql"] == (Outcome.HELD, State.HELD, 1, "on_rules_change")

    def test_what_is_suppressed_anyhow_keeps_its_reason(self):
        restraint = Restraint("too many", hold_id="h1")
        assert self.judged(restraint, commit(0, 120, flags=UNLESS))["mql"] == suppressed("`unless` holds")

    def test_what_starts_as_fired_is_no_crossing(self):
        restraint = Restraint("too many", hold_id="h1")
        assert self.judged(restraint, commit(None, 120))["mql"] == starts_fired()
