"""A restart discounts what came before it; every number is worked out by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from rescore.rules.card import (
    ALWAYS,
    Decay,
    Dimension,
    FrequencyRule,
    HalfLife,
    Limit,
    Range,
    Restart,
    SilenceRule,
    Steps,
)
from tests.scoring.builders import (
    WORDS,
    a_card,
    a_lead_rule,
    an_activity_rule,
    compares,
    facts,
    scored,
    visits,
)

QUARTER = Restart(("handed_back",), ALWAYS, ("engagement",), Fraction(1, 4), 1)
AGES_0_1_14 = visits("2026-11-01T08:00", "2026-10-31T09:00", "2026-10-18T12:00")
BACK = visits("2026-10-31T10:00", type="handed_back")
FORTNIGHT = Decay(HalfLife(14))
ODD = {**WORDS, "activities": ("visit",), "where": ALWAYS}


@pytest.mark.parametrize(
    ("limit", "decay", "expected"),
    [
        pytest.param(Limit(), Decay(), 5000 + 1250 + 1250, id="what came before counts a quarter"),
        pytest.param(Limit(), FORTNIGHT, 5000 + 1190 + 625, id="of what it is worth by now: 4758.5 / 4"),
        pytest.param(Limit(count=2), Decay(), 5000 + 1250, id="the same two count"),
        pytest.param(Limit(count=2), FORTNIGHT, 5000 + 1190, id="the same two, by their age"),
        pytest.param(Limit(first=True), Decay(), 1250, id="the first one stays the first one"),
        pytest.param(Limit(count=1, per_day=True), Decay(), 5000 + 1250 + 1250, id="day by day"),
        pytest.param(Limit(points=6000), Decay(), 6000, id="points are clamped afterwards"),
        pytest.param(
            Limit(count=1), Decay(Steps(((1, Fraction(1)),))), 5000, id="the newest, not the one worth most"
        ),
    ],
)
@pytest.mark.parametrize("sign", [1, -1], ids=["for", "against"])
def test_points_from_before_are_discounted(limit, decay, expected, sign):
    card = a_card(an_activity_rule(sign * 5000, limit=limit, decay=decay), restart=QUARTER)
    assert scored(card, facts(AGES_0_1_14 + BACK))["rule"] == sign * expected


def test_on_the_day_itself_the_hour_decides():
    day = visits("2026-10-31T09:59:59.999999", "2026-10-31T10:00", "2026-10-31T11:00")
    card = a_card(an_activity_rule(5000), restart=QUARTER)
    assert scored(card, facts(day + BACK))["rule"] == 1250 + 5000 + 5000
    of_the_day = a_card(an_activity_rule(5000, limit=Limit(count=2, per_day=True)), restart=QUARTER)
    assert scored(of_the_day, facts(day[:2] + BACK))["rule"] == 5000 + 1250


def test_the_newest_restart_counts_and_one_to_come_does_not():
    later = visits("2026-11-01T09:00", "2026-11-02T09:00", type="handed_back")
    card = a_card(an_activity_rule(5000), restart=QUARTER)
    row = scored(card, facts(AGES_0_1_14 + BACK + later))
    assert row["rule"] == 3 * 1250
    assert row["restarted_at"].isoformat() == "2026-11-01T09:00:00"
    assert scored(card, facts(AGES_0_1_14))["restarted_at"] is None


def test_a_restart_may_ask_for_more_than_a_type():
    kinds = visits("2026-11-01T09:00", type="meeting", outcome="held") + visits(
        "2026-10-31T10:00", type="meeting", outcome="Handed_Back"
    )
    handed_back = compares("equals", "handed_back", field="outcome")
    restart = Restart(("meeting",), handed_back, ("engagement",), Fraction(0), 1)
    assert scored(a_card(an_activity_rule(5000), restart=restart), facts(kinds + AGES_0_1_14))["rule"] == 5000


def test_other_dimensions_and_what_is_true_now_keep_their_points():
    aside = replace(an_activity_rule(5000, id="visited"), dimension="aside")
    both = (Dimension("engagement", Range()), Dimension("aside", Range()))
    card = a_card(aside, a_lead_rule(compares("exists", False, field="x")), dimensions=both, restart=QUARTER)
    row = scored(card, facts(AGES_0_1_14 + BACK))
    assert (row["aside"], row["rule"]) == (15, 1000)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(
            FrequencyRule(id="rule", **ODD, measure="count", field=None, at_least=2, within=30, points=1000),
            0,
            id="often enough has to be since then",
        ),
        pytest.param(
            SilenceRule(id="rule", **ODD, none_within=1, points=-1000), 0, id="not quiet: just seen"
        ),
    ],
)
def test_habits_begin_anew(rule, expected):
    assert scored(a_card(rule, restart=QUARTER), facts(AGES_0_1_14 + BACK))["rule"] == expected


def test_nobody_is_quiet_who_was_just_handed_back():
    quiet = SilenceRule(id="rule", **ODD, none_within=1, points=-1000)
    long_ago = visits("2026-10-01T12:00")
    assert scored(a_card(quiet, restart=QUARTER), facts(long_ago))["rule"] == -1000
    assert scored(a_card(quiet, restart=QUARTER), facts(long_ago + BACK))["rule"] == 0
