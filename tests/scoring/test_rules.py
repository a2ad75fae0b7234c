"""What each kind of rule gives, with its decay and its limit; every number is worked out by hand."""

from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from rescore.rules.card import (
    Band,
    Choice,
    Decay,
    Dimension,
    FirstOfRule,
    FrequencyRule,
    HalfLife,
    LeadRule,
    Limit,
    Linear,
    Range,
    SilenceRule,
    Steps,
)
from rescore.scoring.engine import score
from rescore.scoring.worth import worth_table
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

FORTNIGHT = Decay(HalfLife(14))
AGES_0_1_14 = visits("2026-11-01T00:00", "2026-10-31T23:59:59.999999", "2026-10-18T12:00")


@pytest.mark.parametrize(
    ("decay", "age", "expected"),
    [
        pytest.param(Decay(), 9999, 5000, id="no decay"),
        pytest.param(FORTNIGHT, 14, 2500, id="half after one half-life"),
        pytest.param(FORTNIGHT, 1, 4758, id="5000 x 0.951695..."),
        pytest.param(FORTNIGHT, 42, 625, id="an eighth after three"),
        pytest.param(FORTNIGHT, 9999, 0, id="nothing in the end"),
        pytest.param(Decay(Linear(3)), 1, 3333, id="two thirds"),
        pytest.param(Decay(Linear(3)), 3, 0, id="a straight line ends"),
        pytest.param(
            Decay(Steps(((7, Fraction(1, 2)), (30, Fraction(1, 10))))), 6, 5000, id="before the steps"
        ),
        pytest.param(Decay(Steps(((7, Fraction(1, 2)), (30, Fraction(1, 10))))), 7, 2500, id="at a step"),
        pytest.param(
            Decay(Steps(((7, Fraction(1, 2)), (30, Fraction(1, 10))))), 900, 500, id="after the last"
        ),
        pytest.param(Decay(expires=7), 6, 5000, id="the day before it expires"),
        pytest.param(Decay(HalfLife(14), expires=14), 14, 0, id="the day it expires"),
    ],
)
def test_worth_by_age(decay, age, expected):
    table = worth_table(5000, decay)
    assert table[min(age, len(table) - 1)] == expected


def test_worth_is_rounded_half_away_from_zero():
    assert worth_table(5, Decay(HalfLife(1)))[:4] == (5, 3, 1, 1)  # 2.5, 1.25, 0.625
    assert worth_table(-5, Decay(HalfLife(1)))[:4] == (-5, -3, -1, -1)


@pytest.mark.parametrize(
    ("limit", "decay", "expected"),
    [
        pytest.param(Limit(), Decay(), 15000, id="all three"),
        pytest.param(Limit(), FORTNIGHT, 5000 + 4758 + 2500, id="each by its age"),
        pytest.param(Limit(count=2), Decay(), 10000, id="two of them"),
        pytest.param(Limit(count=2), FORTNIGHT, 5000 + 4758, id="the two newest"),
        pytest.param(Limit(count=13), FORTNIGHT, 5000 + 4758 + 2500, id="more than there are"),
        pytest.param(Limit(first=True), Decay(), 5000, id="the first"),
        pytest.param(Limit(first=True), FORTNIGHT, 2500, id="the first is the oldest"),
        pytest.param(Limit(points=6000), FORTNIGHT, 6000, id="no more than so many points"),
        pytest.param(Limit(count=1, points=6000), FORTNIGHT, 5000, id="count goes before points"),
        pytest.param(
            Limit(count=1),
            Decay(Steps(((1, Fraction(0)), (7, Fraction(1))))),
            5000,
            id="rising steps: newest",
        ),
        pytest.param(
            Limit(count=2),
            Decay(Steps(((1, Fraction(0)), (7, Fraction(1))))),
            5000,
            id="rising steps: two newest",
        ),
        pytest.param(
            Limit(first=True),
            Decay(Steps(((1, Fraction(0)), (7, Fraction(1))))),
            5000,
            id="rising steps: oldest",
        ),
    ],
)
@pytest.mark.parametrize("sign", [1, -1], ids=["for", "against"])
def test_limits(limit, decay, expected, sign):
    card = a_card(an_activity_rule(sign * 5000, limit=limit, decay=decay))
    assert scored(card, facts(AGES_0_1_14))["rule"] == sign * expected


def test_a_count_per_day_keeps_the_newest_of_each_local_day():
    activities = visits("2026-11-01T01:00", "2026-11-01T02:00", "2026-11-01T03:00", "2026-10-18T23:00")
    card = a_card(an_activity_rule(5000, limit=Limit(count=2, per_day=True), decay=FORTNIGHT))
    assert scored(card, facts(activities))["rule"] == 5000 + 5000 + 2500
    newyork = a_card(
        an_activity_rule(5000, limit=Limit(count=2, per_day=True)), timezone=ZoneInfo("America/New_York")
    )
    assert scored(newyork, facts(activities))["rule"] == 3 * 5000  # the three fall on 31 October there


def test_a_lead_without_activities_has_nothing_whatever_the_limit():
    for limit in (Limit(), Limit(first=True), Limit(count=1), Limit(points=1), Limit(count=1, per_day=True)):
        assert scored(a_card(an_activity_rule(5000, limit=limit)), facts())["rule"] == 0


def test_only_matching_types_and_fields_count():
    activities = visits("2026-11-01T01:00", asset="/Pricing") + visits("2026-11-01T01:00", asset="/home")
    activities += visits("2026-11-01T01:00", type="Visit", asset="/pricing")
    card = a_card(an_activity_rule(5000, where=compares("starts_with", "/pricing", field="asset")))
    assert scored(card, facts(activities))["rule"] == 5000


def test_what_happens_after_the_scoring_time_does_not_exist_yet():
    activities = visits("2026-11-01T12:00", "2026-11-01T12:00:00.000001")
    assert scored(a_card(an_activity_rule(5000)), facts(activities))["rule"] == 5000


def test_an_activity_counts_once_and_its_latest_correction_wins():
    twice = visits("2026-11-01T01:00", activity_id="7", known_at=datetime(2026, 11, 1, 2))  # noqa: DTZ001
    moved = visits("2026-10-18T01:00", activity_id="7", known_at=datetime(2026, 11, 1, 3))  # noqa: DTZ001
    given = facts(moved + twice + twice)
    assert scored(a_card(an_activity_rule(5000, decay=FORTNIGHT)), given)["rule"] == 2500
    assert [(one.reason, one.rows) for one in given.set_aside] == [("activity_repeated", 2)]


@pytest.mark.parametrize(
    ("zone", "as_of", "expected"),
    [
        pytest.param("Europe/Berlin", "2026-10-25T22:59", 5000, id="the long day is one day"),
        pytest.param("Europe/Berlin", "2026-10-25T23:00", 2500, id="and ends at local midnight"),
        pytest.param("Asia/Kathmandu", "2026-10-25T18:14", 5000, id="an offset with minutes"),
        pytest.param("Asia/Kathmandu", "2026-10-25T18:15", 2500, id="changes its day with minutes"),
    ],
)
def test_age_is_counted_in_local_calendar_days(zone, as_of, expected):
    card = a_card(an_activity_rule(5000, decay=Decay(HalfLife(1))), timezone=ZoneInfo(zone))
    given = facts(visits("2026-10-25T00:30"))
    assert scored(card, given, datetime.fromisoformat(as_of).replace(tzinfo=UTC))["rule"] == expected


@pytest.mark.parametrize(
    ("measure", "field", "at_least", "within", "expected"),
    [
        pytest.param("count", None, 3, 15, 1000, id="three activities in fifteen days"),
        pytest.param("count", None, 3, 14, 0, id="the third is fourteen days old"),
        pytest.param("days", None, 2, 2, 1000, id="two days"),
        pytest.param("days", None, 3, 14, 0, id="not three days"),
        pytest.param("days", None, 3, 70, 1000, id="a window beyond one number's bits"),
        pytest.param("distinct", "asset", 2, 70, 1000, id="two pages, whatever their case"),
        pytest.param("distinct", "asset", 3, 70, 0, id="not three pages"),
        pytest.param("distinct", "nowhere", 1, 70, 0, id="a field that is not there"),
    ],
)
def test_frequency(measure, field, at_least, within, expected):
    activities = visits("2026-11-01T01:00", "2026-10-31T01:00", asset="/A") + visits(
        "2026-10-18T01:00", asset="/b"
    )
    activities += visits("2026-11-01T02:00", asset="/a", type="other") + visits(
        "2026-08-01T02:00", asset="/a"
    )
    rule = FrequencyRule(
        id="rule",
        **WORDS,
        activities=("visit",),
        where=compares("exists", True, field="asset"),
        measure=measure,
        field=field,
        at_least=at_least,
        within=within,
        points=1000,
    )
    assert scored(a_card(rule), facts(activities))["rule"] == expected


@pytest.mark.parametrize(
    ("activities", "expected"),
    [
        pytest.param(visits("2026-10-01T00:00"), -1000, id="quiet for 31 days"),
        pytest.param(visits("2026-10-02T00:00"), 0, id="active 30 days ago"),
        pytest.param(visits("2026-10-01T00:00", "2026-10-31T00:00"), 0, id="came back"),
        pytest.param([], 0, id="never active"),
        pytest.param(visits("2026-12-01T00:00"), 0, id="active only in the future"),
    ],
)
def test_silence(activities, expected):
    rule = SilenceRule(
        id="rule",
        **WORDS,
        activities=("visit",),
        where=compares("exists", False, field="nowhere"),
        none_within=31,
        points=-1000,
    )
    assert scored(a_card(rule), facts(activities))["rule"] == expected


def test_the_first_choice_that_holds_counts():
    rule = FirstOfRule(
        id="rule",
        **WORDS,
        choices=(
            Choice(compares("has_word", "cto"), 30_000, "C-level"),
            Choice(compares("contains", "c"), 20_000, "Some c"),
        ),
    )
    leads = pa.table({"lead": ["a", "b", "c"], "field": ["CTO", "director", "head"]})
    rows = score(a_card(rule), facts(leads=leads), as_of=datetime(2026, 1, 1, tzinfo=UTC)).sort_by("lead")
    assert rows["rule"].to_pylist() == [30_000, 20_000, 0]
    assert rows["rule__choice"].to_pylist() == [0, 1, None]


def a_points_rule(id, dimension, points):  # noqa: A002
    return LeadRule(
        id=id, label=id, dimension=dimension, line=1, condition=compares("exists", False), points=points
    )


@pytest.mark.parametrize(
    ("points", "expected"),
    [(1499, 1), (1500, 2), (-1499, -1), (-1500, -2), (499, 0), (-499, 0), (-500, -1), (0, 0)],
)
def test_whole_points_are_rounded_half_away_from_zero(points, expected):
    row = scored(a_card(a_lead_rule(compares("exists", False), points)), facts())
    assert (row["score"], row["engagement"]) == (expected, expected)


def test_dimensions_are_clamped_and_the_total_sums_them_unrounded():
    card = a_card(
        a_points_rule("a", "engagement", 1400),
        a_points_rule("b", "fit", 1400),
        a_points_rule("c", "fit", -9000),
        a_points_rule("d", "aside", 50_000),
        dimensions=(
            Dimension("engagement", Range(ceiling=1300)),
            Dimension("fit", Range(floor=400)),
            Dimension("aside", Range(), in_total=False),
        ),
    )
    row = scored(card, facts())
    assert (row["engagement"], row["fit"], row["aside"], row["score"]) == (1, 0, 50, 2)  # 1.3 + 0.4 = 1.7


@pytest.mark.parametrize(
    ("points", "expected"),
    [(40_000, "B"), (39_500, "B"), (39_499, "C"), (0, "C"), (-499, "C"), (-500, None), (80_000, "A")],
)
def test_the_band_goes_by_the_rounded_total(points, expected):
    bands = (Band("A", 79_500), Band("B", 40_000), Band("C", 0))
    card = a_card(a_lead_rule(compares("exists", False), points), bands=bands)
    assert scored(card, facts())["band"] == expected


def test_outside_the_audience_there_is_no_score_but_the_rules_are_shown():
    card = a_card(
        a_lead_rule(compares("exists", False)), bands=(Band("D", 0),), audience=compares("is", True)
    )
    row = scored(card, facts())
    assert (row["score"], row["band"], row["engagement"], row["rule"]) == (None, None, None, 1000)
