"""What is in quarantine counts for nothing; every number is worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore.rules.card import (
    ALWAYS,
    Burst,
    Condition,
    FrequencyRule,
    Not,
    QuarantineEntry,
    Restart,
    SilenceRule,
    SoonAfter,
    ValueList,
)
from rescore.scoring import held
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from rescore.scoring.pair import score_pair
from rescore.scoring.several_moments import score_pair_at
from tests.scoring.builders import NOON, WORDS, a_card, an_activity_rule, compares, facts, scored, visits
from tests.scoring.random_cards import quarantine_entries, tables
from tests.scoring.test_against_reference import brief, thorough
from tests.support.reference import reference_scores

RELEASED = "rescore_quarantine_released"
EACH = an_activity_rule(1000, activities=("visit", "click"))
"""A point for each, so that the points say how many are left."""


def an_entry(
    pattern: Burst | SoonAfter | None = None, where: Condition = ALWAYS, *types: str, name: str = "entry"
) -> QuarantineEntry:
    return QuarantineEntry(name, name, types or ("visit",), where, 1, pattern)


def at(*seconds: float, **fields: object) -> list[dict]:
    """Visits so many seconds after ten o'clock."""
    ten = datetime(2026, 11, 1, 10)  # noqa: DTZ001  naive UTC, as in the facts
    return visits(*(str(ten + timedelta(seconds=s)) for s in seconds), **fields)


def left(*entries: QuarantineEntry, given: list[dict], lead: dict | None = None) -> int:
    """How many visits and clicks are left."""
    leads = [{"lead": "ada"} | lead] if lead else None
    return scored(a_card(EACH, quarantine=entries), facts(given, leads))["rule"] // 1000


THREE = an_entry(Burst(3, 10))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param([0, 5], 2, id="two are no burst of three"),
        pytest.param([0, 5, 10], 0, id="both ends of the span count"),
        pytest.param([0, 5, 10.000001], 3, id="a microsecond more does not"),
        pytest.param([0, 0, 0], 0, id="at the same instant"),
        pytest.param([0, 5, 10, 15], 0, id="spans overlap: each is in one that is full"),
        pytest.param([0, 5, 10, 21], 1, id="what comes after the span is left"),
        pytest.param([0, 11, 13, 15, 26], 2, id="what comes around it is left"),
        pytest.param([0, 9, 18, 27], 4, id="a steady pace is none, however long"),
    ],
)
def test_a_burst_takes_all_of_any_span_that_has_enough(seconds, expected):
    assert left(THREE, given=at(*seconds)) == expected
    assert left(THREE, given=at(*seconds[::-1])) == expected


def test_different_values_make_a_burst_and_missing_ones_are_none():
    entry = an_entry(Burst(3, 10, "asset"))
    same = at(0, 1, 2, 3, asset="/a")
    assert left(entry, given=same) == 4
    assert left(entry, given=[*same, *at(4, asset="/B"), *at(5, asset="/b")]) == 6
    assert left(entry, given=[*same, *at(4, asset="/b"), *at(5, 6, asset=None)]) == 7
    assert left(entry, given=[*same, *at(4, asset="/b"), *at(5, asset="/c"), *at(6, asset=None)]) == 0


def test_only_what_matches_makes_a_burst_or_is_taken():
    entry = an_entry(Burst(3, 10), compares("equals", "email", field="channel"))
    mail, web = {"channel": "email"}, {"channel": "web"}
    assert left(entry, given=at(0, 1, **mail) + at(2, **web)) == 3
    assert left(entry, given=at(0, 1, 3, **mail) + at(2, **web)) == 1


def test_only_the_values_of_what_matches_count():
    entry = an_entry(Burst(3, 10, "asset"), compares("equals", "email", field="channel"))
    mail, web = {"channel": "email"}, {"channel": "web"}
    one, two, three = (at(second, asset=asset)[0] for second, asset in enumerate(("/a", "/b", "/c")))
    assert left(entry, given=[one | mail, two | mail, three | web]) == 3
    assert left(entry, given=[one | mail, two | mail, three | mail]) == 0


def test_a_burst_may_be_of_several_types():
    entry = an_entry(Burst(3, 10), ALWAYS, "visit", "click")
    assert left(entry, given=at(0, 1) + at(2, type="click")) == 0
    assert left(THREE, given=at(0, 1) + at(2, type="click")) == 3


SENT = at(100, type="sent")


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(99.999999, 1, id="before it"),
        pytest.param(100, 0, id="at the same instant"),
        pytest.param(105, 0, id="five seconds after it"),
        pytest.param(105.000001, 1, id="a microsecond later"),
    ],
)
def test_what_comes_soon_after_another_activity_is_taken(second, expected):
    assert left(an_entry(SoonAfter(("sent", "delivered"), 5)), given=at(second) + SENT) == expected
    assert left(an_entry(SoonAfter(("sent",), 5)), given=at(second) + at(100, type="sent", lead="bob")) == 1


def test_a_condition_alone_takes_what_meets_it():
    entry = an_entry(None, compares("contains", "bot", field="agent"))
    assert left(entry, given=at(0, agent="GoogleBot/2") + at(1, agent="Firefox") + at(2, agent=None)) == 2
    assert left(an_entry(None, Not(entry.where)), given=at(0, agent="a bot") + at(2, agent=None)) == 1


def test_a_condition_may_look_into_a_list_and_at_dates():
    known = ValueList("gateways", "lists/gateways.txt", frozenset({"scan.example"}))
    listed = an_entry(None, compares("in_list", "gateways", field="agent"))
    card = a_card(EACH, quarantine=(listed,), lists=(known,))
    assert scored(card, facts(at(0, agent="Scan.Example") + at(1, agent="x")))["rule"] == 1000
    new = an_entry(None, compares("newer_than", 7, field="made"))
    assert left(new, given=at(0, made="2026-10-30") + at(1, made="2026-10-01T10:00:00Z")) == 1


def test_an_entry_looks_at_what_other_entries_take_too():
    robots = an_entry(None, compares("contains", "bot", field="agent"), name="robots")
    assert left(THREE, robots, given=at(0, agent="bot") + at(1, 2, agent="fox")) == 0
    sent = an_entry(None, compares("exists", True, field="agent"), "sent", name="sent")
    soon = an_entry(SoonAfter(("sent",), 5), name="soon")
    assert left(soon, sent, given=at(0, type="sent", agent="x") + at(1)) == 0


def test_what_is_still_to_come_makes_no_burst():
    given = facts(at(0, 4, 8))
    card = a_card(EACH, quarantine=(THREE,))
    early = datetime(2026, 11, 1, 10, 0, 7, tzinfo=UTC)
    assert scored(card, given, early)["rule"] == 2000
    assert scored(card, given, early.replace(second=8))["rule"] == 0


def test_what_was_not_known_makes_no_burst():
    known = [moment | {"known_at": moment["occurred_at"]} for moment in at(0, 4)]
    late = [moment | {"known_at": datetime(2026, 11, 1, 11)} for moment in at(8)]  # noqa: DTZ001
    given, card = facts(known + late), a_card(EACH, quarantine=(THREE,))
    before = datetime(2026, 11, 1, 10, 59, tzinfo=UTC)
    assert score(card, given, as_of=NOON, known_as_of=before).to_pylist()[0]["rule"] == 2000
    assert score(card, given, as_of=NOON).to_pylist()[0]["rule"] == 0


@pytest.mark.parametrize("flag", [True, "true", " TRUE "])
def test_a_lead_that_a_person_released_is_in_no_quarantine(flag):
    assert left(THREE, given=at(0, 1, 2), lead={RELEASED: flag}) == 3


@pytest.mark.parametrize("flag", [False, None, "no"])
def test_only_a_release_releases(flag):
    assert left(THREE, given=at(0, 1, 2), lead={RELEASED: flag}) == 0


def test_habits_silence_and_restarts_do_not_see_it_either():
    odd = {**WORDS, "activities": ("visit",), "where": ALWAYS, "points": 1000}
    often = FrequencyRule(id="often", **odd, measure="count", field=None, at_least=2, within=30)
    quiet = SilenceRule(id="quiet", **odd, none_within=1)
    old, burst = visits("2026-10-01T12:00"), at(0, 1, 2)
    card = a_card(often, quiet, EACH, quarantine=(THREE,))
    row = scored(card, facts(old + burst))
    assert (row["often"], row["quiet"], row["rule"]) == (0, 1000, 1000)
    back = Restart(("click",), ALWAYS, ("engagement",), Fraction(0), 1)
    clicks = an_entry(Burst(3, 10), ALWAYS, "click")
    restarting = replace(card, restart=back, quarantine=(clicks,))
    assert scored(restarting, facts(old + at(0, 1, 2, type="click")))["restarted_at"] is None
    assert scored(restarting, facts(old + at(0, 1, type="click")))["rule"] == 1000


def test_a_burst_is_of_one_lead_and_counts_for_no_colleague():
    two = [{"lead": "ada", "account": "acme"}, {"lead": "bob", "account": "acme"}]
    rule = replace(EACH, scope="account")
    card = a_card(rule, quarantine=(THREE,))

    def each(given, leads=two):
        return [row["rule"] for row in score(card, facts(given, leads), as_of=NOON).to_pylist()]

    assert each(at(0, 1) + at(2, lead="bob")) == [3000, 3000]
    assert each(at(0, 1, 2) + at(3, lead="bob")) == [1000, 1000]
    released = [two[0] | {RELEASED: True}, two[1] | {RELEASED: None}]
    assert each(at(0, 1, 2) + at(3, lead="bob"), released) == [4000, 4000]


def test_a_plan_compares_two_quarantines():
    given = facts(at(0, 1, 2))
    without, with_it = a_card(EACH), a_card(EACH, quarantine=(THREE,))
    reworded = a_card(EACH, quarantine=(replace(THREE, label="Other words", line=9),))
    for old, new, expected in (
        (without, with_it, (3000, 0)),
        (with_it, without, (0, 3000)),
        (with_it, reworded, (0, 0)),
    ):
        pair, rules = score_pair(old, new, given, as_of=NOON)
        row = pair.to_pylist()[0]
        assert (row[rules["rule"]], row["rule"]) == expected


def test_at_several_moments_each_has_its_own_burst():
    given, card = facts(at(0, 4, 8)), a_card(EACH, quarantine=(THREE,))
    moments = [datetime(2026, 11, 1, 10, 0, second, tzinfo=UTC) for second in (5, 9)]
    tables = score_pair_at(a_card(EACH), card, given, moments)
    assert [table["rule"].to_pylist() for table in tables] == [[2000], [0]]
    assert [table["old score"].to_pylist() for table in tables] == [[2], [3]]


def test_what_is_kept_out_is_told_by_entry_and_one_by_one():
    robots = an_entry(None, compares("contains", "bot", field="agent"), name="robots")
    given = facts(at(0, 1, 2, agent="bot") + at(60, agent="a bot") + at(90, agent="fox"))
    card = a_card(EACH, quarantine=(THREE, robots))
    newest = datetime(2026, 11, 1, 10, 1, tzinfo=UTC)
    assert held.by_entry(card, given, as_of=NOON) == {
        "entry": held.Held(3, 1, newest.replace(minute=0, second=2)),
        "robots": held.Held(4, 1, newest),
    }
    assert held.in_all(card, given, as_of=NOON) == held.Held(4, 1, newest)
    assert held.in_all(card, facts(at(0)), as_of=NOON) == held.in_all(a_card(EACH), given, as_of=NOON)
    single = held.single_ones(card, given, as_of=NOON)
    assert single["entry"].to_pylist() == ["entry"] * 3 + ["robots"] * 4
    assert single.schema == held.single_ones(a_card(EACH), given, as_of=NOON).schema


STEPS = st.sampled_from([0, 0, 1, 500_000, 1_000_000, 1_000_001, 2_000_000, 59_000_000, 60_000_000])
FIELDS = {"asset": st.sampled_from(["/a", "/A", "/b", None, ""]), "clicks": st.sampled_from([None, 1, 2])}


@st.composite
def dense(draw):
    """Two leads who do one thing right after another."""
    moment, rows = datetime(2026, 10, 30), []  # noqa: DTZ001  naive UTC
    for index in range(draw(st.integers(2, 14))):
        moment += timedelta(microseconds=draw(STEPS))
        row = {name: draw(values) for name, values in FIELDS.items()}
        row |= {"type": draw(st.sampled_from(["page_view", "page_view", "Form Submit", "it's"]))}
        row |= {"lead": draw(st.sampled_from(["crm:0", "crm:0", "crm:1"])), "occurred_at": moment}
        rows.append(row | {"source": "crm", "activity_id": f"{index:02}", "known_at": moment})
    leads = [
        {"lead": lead, RELEASED: draw(st.sampled_from([None, None, True]))} for lead in ("crm:0", "crm:1")
    ]
    return leads, rows


@st.composite
def entries(draw):
    entry = draw(quarantine_entries("entry"))
    there = [compares("equals", "/a", field="asset"), compares("equals", 1, field="clicks")]
    where = draw(st.sampled_from([ALWAYS, *there, entry.where]))
    if isinstance(entry.pattern, Burst) and entry.pattern.field:
        field = draw(st.sampled_from(["asset", "asset", "clicks", entry.pattern.field]))
        entry = replace(entry, pattern=replace(entry.pattern, field=field))
    return replace(entry, where=where if entry.pattern else entry.where)


@thorough
@given(st.lists(entries(), min_size=1, max_size=2), dense())
def test_in_any_bustle_what_is_left_is_what_the_reference_scorer_leaves(some, history):
    named = tuple(replace(entry, id=f"entry_{index}") for index, entry in enumerate(some))
    each = [an_activity_rule(1000, activities=(kind,), id=f"rule_{i}") for i, kind in enumerate(KINDS)]
    lists = (ValueList("domains", "d", frozenset({"/a"})), ValueList("names", "n", frozenset({"/a"})))
    card = a_card(*each, quarantine=named, lists=lists)
    leads, activities = history
    found = score(card, facts_from_tables(*tables(leads, activities)), as_of=NOON).to_pylist()
    expected = reference_scores(card, leads, activities, as_of=NOON)
    assert sorted(found, key=lambda row: row["lead"]) == [
        {name: row.get(name) for name in found[0]} for row in expected
    ]


KINDS = ("page_view", "Form Submit", "it's")


@brief
@given(st.lists(entries(), max_size=1), st.lists(entries(), max_size=1), dense())
def test_a_pair_gives_what_each_card_gives_alone(old, new, history):
    lists = (ValueList("domains", "d", frozenset({"/a"})), ValueList("names", "n", frozenset({"/a"})))
    rule = an_activity_rule(1000, activities=KINDS)
    cards = [a_card(rule, quarantine=tuple(some), lists=lists) for some in (old, new)]
    given_facts = facts_from_tables(*tables(*history))
    pair, rules = score_pair(*cards, given_facts, as_of=NOON)
    alone = [
        {row["lead"]: row["rule"] for row in score(card, given_facts, as_of=NOON).to_pylist()}
        for card in cards
    ]
    for row in pair.to_pylist():
        assert [row[rules["rule"]], row["rule"]] == [each[row["lead"]] for each in alone]
