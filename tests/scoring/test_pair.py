"""Two cards scored in one query give what each gives alone, whatever they share."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore.rules.card import (
    ALWAYS,
    ActivityRule,
    Band,
    Decay,
    Dimension,
    FrequencyRule,
    HalfLife,
    Limit,
    Not,
    Range,
    Scorecard,
)
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from rescore.scoring.pair import OLD, score_pair
from rescore.scoring.several_moments import score_pair_at
from tests.ledger.world import a_card
from tests.scoring.random_cards import histories, points, ranges, rules, scorecards, scoring_times, tables
from tests.scoring.test_against_reference import brief, thorough


@st.composite
def edits(draw, card: Scorecard) -> Scorecard:
    """The card after some of what people do to it."""
    names = [dimension.id for dimension in card.dimensions]
    edited = list(card.rules)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(edited) - 1))
        match draw(st.sampled_from(["points", "part", "replace", "move", "relabel", "remove", "add"])):
            case "points" if hasattr(edited[place], "points"):
                edited[place] = replace(edited[place], points=draw(points()))
            case "part":
                other = draw(rules(edited[place].id, names))
                if type(other) is type(edited[place]):
                    part = draw(st.sampled_from([field.name for field in fields(other)]))
                    edited[place] = replace(edited[place], **{part: getattr(other, part)})
            case "replace":
                edited[place] = draw(rules(edited[place].id, names))
            case "move":
                edited[place] = replace(edited[place], dimension=draw(st.sampled_from(names)))
            case "relabel":
                edited[place] = replace(edited[place], label="Another label", line=99)
            case "remove" if len(edited) > 1:
                edited.pop(place)
            case "add":
                edited.append(draw(rules(f"added_{len(edited)}", names)))
    card = replace(card, rules=tuple(edited))
    if draw(st.booleans()):
        card = replace(card, total=draw(ranges()), bands=(Band("top", 10_000), *card.bands))
    if draw(st.booleans()):
        card = replace(card, audience=draw(scorecards()).audience)
    if draw(st.integers(0, 4)) == 0:
        card = replace(card, timezone=ZoneInfo(draw(st.sampled_from(["Asia/Kathmandu", "Pacific/Apia"]))))
    return card


@st.composite
def cases(draw):
    old, as_of = draw(scorecards()), draw(scoring_times())
    new = draw(edits(old)) if draw(st.integers(0, 4)) else draw(scorecards())
    return old, new, *draw(histories(old.timezone, as_of)), as_of


def rows(table):
    return sorted(table.to_pylist(), key=lambda row: row["lead"])


@thorough
@given(cases())
def test_a_pair_gives_what_two_scorings_give(case):
    old, new, leads, activities, as_of = case
    facts = facts_from_tables(*tables(leads, activities))
    pair, old_rules = score_pair(old, new, facts, as_of=as_of)
    alone = rows(score(new, facts, as_of=as_of))
    before = rows(score(old, facts, as_of=as_of))
    paired = rows(pair)
    assert [{name: row[name] for name in score_columns(new, alone)} for row in paired] == alone
    shown = ["score", "band", *(dimension.id for dimension in old.dimensions)]
    assert [[row[OLD + name] for name in shown] for row in paired] == [
        [row[name] for name in shown] for row in before
    ]
    assert [[row[old_rules[rule.id]] for rule in old.rules] for row in paired] == [
        [row[rule.id] for rule in old.rules] for row in before
    ]


def score_columns(card, scored):
    return list(scored[0]) if scored else []


@brief
@given(cases(), st.lists(scoring_times(), min_size=1, max_size=4))
def test_several_moments_at_once_give_what_each_gives_alone(case, moments):
    old, new, leads, activities, _ = case
    facts = facts_from_tables(*tables(leads, activities))
    together = score_pair_at(old, new, facts, moments)
    for moment, found in zip(moments, together, strict=True):
        alone, _ = score_pair(old, new, facts, as_of=moment)
        shown = [name for name in alone.column_names if not name.startswith(OLD + "rule")]
        assert found.select(shown).to_pylist() == rows(alone.select(shown))


VISIT = ActivityRule("visit", "Visit", "engagement", 1, ("page_view",), ALWAYS, 5000)
MET = FrequencyRule("met", "Met", "engagement", 1, ("page_view",), ALWAYS, "count", None, 2, 7, 5000)


@pytest.mark.parametrize(
    ("old", "edit", "shared"),
    [
        pytest.param(VISIT, {"label": "Looked", "line": 9}, True, id="reworded"),
        pytest.param(VISIT, {"dimension": "fit"}, True, id="moved to another dimension"),
        pytest.param(VISIT, {"points": 6000}, False, id="points"),
        pytest.param(VISIT, {"activities": ("email_click",)}, False, id="activity"),
        pytest.param(VISIT, {"where": Not(ALWAYS)}, False, id="where"),
        pytest.param(VISIT, {"limit": Limit(count=1)}, False, id="limit"),
        pytest.param(VISIT, {"decay": Decay(HalfLife(7))}, False, id="decay"),
        pytest.param(MET, {"at_least": 3}, False, id="how often"),
        pytest.param(MET, {"within": 8}, False, id="within"),
    ],
)
def test_only_a_rule_that_gives_the_same_points_is_summed_once(old, edit, shared):
    dimensions = (Dimension("engagement", Range()), Dimension("fit", Range()))
    card = replace(a_card(), rules=(old,), dimensions=dimensions)
    edited = replace(card, rules=(replace(old, **edit),))
    facts = facts_from_tables(*tables([{"lead": "crm:1"}], []))
    _, columns = score_pair(card, edited, facts, as_of=datetime(2026, 11, 1, tzinfo=UTC))
    assert columns == {old.id: old.id if shared else OLD + old.id}
