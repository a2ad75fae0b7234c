"""Two cards scored in one query give what each gives alone, whatever they share."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from rescore.rules.card import Band, Scorecard
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from rescore.scoring.pair import OLD, score_pair
from rescore.scoring.several_moments import score_pair_at
from tests.scoring.random_cards import histories, points, ranges, rules, scorecards, scoring_times, tables
from tests.scoring.test_against_reference import brief, thorough


@st.composite
def edits(draw, card: Scorecard) -> Scorecard:
    """The card after some of what people do to it."""
    names = [dimension.id for dimension in card.dimensions]
    edited = list(card.rules)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(edited) - 1))
        match draw(st.sampled_from(["points", "replace", "move", "relabel", "remove", "add"])):
            case "points" if hasattr(edited[place], "points"):
                edited[place] = replace(edited[place], points=draw(points()))
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
