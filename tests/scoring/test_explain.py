"""An explanation lists every line behind a score, and nothing that did not bite."""

import json
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from rescore.errors import InputUnreadable
from rescore.rules.card import (
    ALWAYS,
    Band,
    Choice,
    Decay,
    Dimension,
    FirstOfRule,
    HalfLife,
    Limit,
    Range,
    Restart,
)
from rescore.scoring.explain import explain, top_reasons
from rescore.scoring.explanation import Adjustment, RestartLine
from rescore.withheld import IS_DELETED, OBJECTED_HERE, OBJECTS
from tests.scoring.builders import NOON, WORDS, a_card, an_activity_rule, compares, facts, visits
from tests.scoring.test_rules import a_points_rule

SENIORITY = FirstOfRule(
    id="seniority",
    **WORDS,
    choices=(Choice(compares("exists", False, field="title"), -2250, "Unknown title"),),
)
CARD = a_card(
    an_activity_rule(5000, limit=Limit(count=2), decay=Decay(HalfLife(14))),
    SENIORITY,
    a_points_rule("beside", "aside", 9000),
    dimensions=(Dimension("engagement", Range(ceiling=7_000)), Dimension("aside", Range(), in_total=False)),
    bands=(Band("hot", 7_000),),
)
VISITS = visits("2026-11-01T00:00", "2026-10-31T09:30", "2026-10-18T12:00")


def test_each_rule_shows_what_it_gave_before_and_after_its_limit():
    explained = explain(CARD, facts(VISITS), "ada", as_of=NOON)
    visit, seniority, _ = explained.rules
    assert (visit.points, visit.before_limit) == (5000 + 4758, 5000 + 4758 + 2500)
    assert (visit.counted, visit.matching) == (2, 3)
    assert visit.latest == datetime(2026, 11, 1, tzinfo=UTC)
    assert (seniority.label, seniority.choice, seniority.points) == ("Unknown title", 0, -2250)


def test_floors_ceilings_and_roundings_are_lines_where_they_bit():
    explained = explain(CARD, facts(VISITS), "ada", as_of=NOON)
    assert explained.dimensions[0].adjustments == (Adjustment("ceiling", 7000, 7000 - (9758 - 2250)),)
    assert explained.adjustments == ()
    assert explained.lines_sum() == 7000 == 1000 * explained.score
    few = explain(CARD, facts(VISITS[:1]), "ada", as_of=NOON)
    assert few.dimensions[0].adjustments == ()
    assert few.adjustments == (Adjustment("rounding", 3000, 250),)
    assert few.lines_sum() == 3000


def test_the_text_is_a_table():
    assert explain(CARD, facts(VISITS), "ada", as_of=NOON).text().splitlines() == [
        "ada: score 7, band hot (card, as of 2026-11-01 12:00 UTC)",
        "",
        "                          points  before limit  activities                latest",
        "engagement                     7",
        "  A rule                   9.758        12.258      2 of 3  2026-11-01 00:00 UTC",
        "  Unknown title            -2.25",
        "  ceiling at 7            -0.508",
        "aside (not in the total)       9",
        "  beside                       9",
        "total                          7",
    ]


def test_the_dictionary_is_plain_json():
    explained = explain(CARD, facts(VISITS), "ada", as_of=NOON)
    again = json.loads(json.dumps(explained.as_dict()))
    assert again["rules"][0]["latest"] == "2026-11-01T00:00:00+00:00"
    assert again["score"] == 7


def test_outside_the_audience_the_lines_are_still_shown():
    card = a_card(a_points_rule("rule", "engagement", 1000), audience=compares("exists", True))
    explained = explain(card, facts(), "ada", as_of=NOON)
    assert explained.score is None
    assert "outside the audience" in explained.text()
    assert explained.rules[0].points == 1000


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (IS_DELETED, "its record was deleted"),
        (OBJECTS, "the person objects to profiling"),
        (OBJECTED_HERE, "the person objects to profiling"),
    ],
)
def test_who_is_withheld_is_told_why_there_is_no_score(flag, said):
    explained = explain(CARD, facts(VISITS, [{"lead": "ada", flag: True}]), "ada", as_of=NOON)
    assert explained.score is None
    assert explained.text().startswith(f"ada: {said}, so it has no score (card, ")


def test_an_unknown_lead_is_one_clear_sentence():
    given = facts(VISITS)
    with pytest.raises(InputUnreadable, match="no lead with that id"):
        explain(CARD, given, "nobody", as_of=NOON)
    assert explain(CARD, given, "ada", as_of=NOON).score == 7  # and the facts can be asked again


def test_the_strongest_three_lines_are_the_reasons():
    card = a_card(
        *(
            a_points_rule(f"rule_{index}", "engagement", points)
            for index, points in enumerate((1, -9, 0, 9, 5))
        ),
        SENIORITY,
    )
    row = {"rule_0": 1, "rule_1": -9, "rule_2": 0, "rule_3": 9, "rule_4": 5, "seniority": 7}
    assert top_reasons(card, row | {"seniority__choice": 0}) == [
        {"rule": "rule_1", "label": "rule_1", "points": -9},
        {"rule": "rule_3", "label": "rule_3", "points": 9},
        {"rule": "seniority", "label": "Unknown title", "points": 7},
    ]


def test_a_restart_is_a_line_of_its_own_and_in_the_rules_lines_already():
    card = a_card(
        an_activity_rule(5000, limit=Limit(count=2)),
        an_activity_rule(1000, id="all"),
        restart=Restart(("handed_back",), ALWAYS, ("engagement",), Fraction(1, 4), 1),
    )
    back = visits("2026-10-31T23:00", type="handed_back")
    explained = explain(card, facts(VISITS + back), "ada", as_of=NOON)
    newest, every = explained.rules
    assert (newest.points, newest.before_limit) == (5000 + 1250, 5000 + 1250 + 1250)
    assert (every.points, every.matching, every.counted) == (1500, 3, 3)
    assert explained.lines_sum() == 8000
    assert explained.restart == RestartLine(
        datetime(2026, 10, 31, 23, tzinfo=UTC), ("engagement",), "25%", 6250 + 1500 - 10_000 - 3000
    )
    assert "restarted 2026-10-31 23:00 UTC: engagement keeps 25% of what came before (-5.25 points)" in (
        explained.text()
    )
    assert json.loads(json.dumps(explained.as_dict()))["restart"]["at"] == "2026-10-31T23:00:00+00:00"
    assert explain(card, facts(VISITS), "ada", as_of=NOON).restart is None
