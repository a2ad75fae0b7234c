"""Linting whatever the rules: nothing that happens is called impossible, and nothing breaks the linter."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.rules.card import AllOf, AnyOf, Comparison, Condition, Kind, Not, Operator, Range, Scorecard
from rescore.rules.lint import CODES, lint
from rescore.rules.lint.logic import can_hold, implies
from rescore.rules.lint.reach import dimension_reaches, total_reach
from tests.scoring.builders import a_card, a_lead_rule
from tests.scoring.random_cards import histories, scorecards
from tests.support.reference import reference_scores

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TEXTS = ["a", "ab", "b", "a b", "b a", "1", "2"]


@st.composite
def close_comparisons(draw: st.DrawFn) -> Comparison:
    """Comparisons of one field, so alike that they contradict each other often."""
    texts = [Operator.EQUALS, Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.HAS_WORD]
    many = [Operator.IN, Operator.CONTAINS_ANY, Operator.STARTS_WITH_ANY, Operator.HAS_ANY_WORD]
    numbers = [Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW, Operator.EQUALS]
    some = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2, unique=True).map(tuple)
    one = st.sampled_from(TEXTS).map(lambda text: (text,))
    number = st.sampled_from([1, 2]).map(lambda value: (Decimal(value),))
    kind, operators, values = draw(
        st.sampled_from(
            [
                (Kind.TEXT, texts, one),
                (Kind.TEXT, many, some),
                (Kind.NUMBER, numbers, number),
                (Kind.ANY, [Operator.EXISTS], st.booleans().map(lambda flag: (flag,))),
            ]
        )
    )
    return Comparison("title", draw(st.sampled_from(operators)), kind, draw(values))


def close_conditions() -> st.SearchStrategy[Condition]:
    def nested(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return several.map(AllOf) | several.map(AnyOf) | inner.map(Not)

    return st.recursive(close_comparisons(), nested, max_leaves=5)


LEADS = [
    {"lead": f"crm:{at}", "title": text} for at, text in enumerate([None, *TEXTS, "abb", "b-a", "1.5", "0"])
]


def meets(condition: Condition) -> list[bool]:
    rows = reference_scores(a_card(a_lead_rule(condition)), LEADS, [], as_of=NOON)
    return [row["score"] == 1 for row in rows]


@settings(max_examples=200, deadline=None)
@given(close_conditions())
def test_what_some_lead_meets_is_never_called_impossible(condition: Condition) -> None:
    if any(meets(condition)):
        assert can_hold(condition)


@settings(max_examples=200, deadline=None)
@given(close_conditions(), close_conditions())
def test_one_condition_implies_another_only_where_no_lead_tells_them_apart(
    a: Condition, b: Condition
) -> None:
    if implies(a, b):
        assert all(second for first, second in zip(meets(a), meets(b), strict=True) if first)


@settings(max_examples=60, deadline=None)
@given(scorecards(), st.data())
def test_no_score_is_beyond_what_is_called_reachable(card: Scorecard, data: st.DataObject) -> None:
    leads, activities = data.draw(histories(card.timezone, NOON))
    reaches = dimension_reaches(card)
    whole = {name: reach.rounded() for name, reach in reaches.items()}
    whole["score"] = total_reach(card, reaches).rounded()
    for row in reference_scores(card, leads, activities, as_of=NOON):
        for name, reach in whole.items():
            if row[name] is not None:
                assert reach.low is None or reach.low <= row[name] * 1000
                assert reach.high is None or row[name] * 1000 <= reach.high


@settings(max_examples=50, deadline=None)
@given(scorecards())
def test_any_scorecard_can_be_linted(card: Scorecard) -> None:
    for found in lint(replace(card, total=Range())):
        assert found.code in CODES
        assert "\n" not in found.message
