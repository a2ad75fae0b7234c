"""The semantic diff: what an edit does, in people's words, and one verdict with the fingerprint."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.rules.actions import Webhook
from rescore.rules.card import (
    ALWAYS,
    AllOf,
    Automation,
    Band,
    Comparison,
    Condition,
    Dimension,
    Example,
    Grades,
    Kind,
    Not,
    Operator,
    Range,
    Restart,
    Scorecard,
    ValueList,
)
from rescore.rules.diff import diff
from rescore.rules.fingerprint import fingerprint
from rescore.rules.load import load_scorecard
from tests.scoring.random_cards import activity_conditions, decays, lead_conditions, limits, scorecards

CARD = """\
scorecard: test
description: About leads
timezone: Europe/Berlin
score: {floor: 0, ceiling: 200}
dimensions: {engagement: {floor: 0, ceiling: 100}, fit: {}}
audience: {exclude: {stage: {equals: customer}}}
bands: {A: 80, B: 40}
rules:
  - {id: pricing_page, label: Looked at pricing, dimension: engagement, activity: [page_view, email_click],
     points: 5, where: {asset: {starts_with: /pricing}}, limit: {count: 6}, decay: {half_life: 14d}}
  - {id: often, dimension: engagement, activity: page_view, points: 10, frequency: {days: 3, within: 7d}}
  - {id: quiet, dimension: engagement, activity: page_view, points: -20, none_within: 60d}
  - {id: size, dimension: fit, lead: {size: {between: [10, 50]}, country: {in: [DE, AT, CH]}}, points: 1.5}
  - id: seniority
    dimension: fit
    first_of:
      - {when: {title: {has_any_word: [chief, cto]}}, points: 30, label: C-level}
      - {when: {title: {has_word: director}}, points: 20, label: Director}
automations:
  - {id: mql, label: Hot, fire_when: {score: {at_least: 100}, fit: {at_least: 2}},
     ready_again_when: {score: {below: 60}}, do: [{webhook: {connection: sales}}]}
examples:
  - {name: one, as_of: 2026-11-01, expect: {pricing_page: 5},
     activities: [{type: page_view, asset: /pricing, at: 2026-11-01}]}
"""


def load(text: str) -> Scorecard:
    return load_scorecard(text.encode(), name="test.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 5,", "points: 8,", "pricing_page 5 → 8 points"),
        ("points: 1.5", "points: 1", "size 1.5 → 1 point"),
        ("half_life: 14d", "half_life: 3w", "pricing_page half-life 14d → 21d"),
        ("half_life: 14d", "linear: 30d", "pricing_page decay half-life 14d → linear 30d"),
        (", decay: {half_life: 14d}", "", "pricing_page decay half-life 14d → none"),
        ("{half_life: 14d}", "{half_life: 14d, expires: 90d}", "pricing_page expires never → 90d"),
        ("limit: {count: 6}", "limit: {count: 8}", "pricing_page limit the newest 6 → the newest 8"),
        ("limit: {count: 6}", "limit: {points: 9}", "pricing_page limit the newest 6 → at most 9 points"),
        ("[page_view, email_click]", "[page_view, call]", "pricing_page activity +call, -email_click"),
        ("/pricing}}, limit", "/price}}, limit", "pricing_page where asset starts with /pricing → /price"),
        (
            "where: {asset: {starts_with: /pricing}}, ",
            "",
            "pricing_page where no longer asset starts with /pricing",
        ),
        (
            "{asset: {starts_with: /pricing}}, limit",
            "{asset: {starts_with: /pricing}, value: {above: 2}}, limit",
            "pricing_page where also value above 2",
        ),
        ("{days: 3, within", "{days: 4, within", "often is given on 3 days within 7d → on 4 days within 7d"),
        ("none_within: 60d", "none_within: 61d", "quiet after 60d → 61d of silence"),
        ("between: [10, 50]", "between: [10, 60]", "size while size between 10 and 50 → between 10 and 60"),
        ("in: [DE, AT, CH]", "in: [DE, AT, LI]", "size while country is one of +LI, -CH"),
        (", country: {in: [DE, AT, CH]}", "", "size while no longer country is one of DE, AT, CH"),
        ("points: 30", "points: 25", "seniority “C-level” 30 → 25 points"),
        (
            "[chief, cto]",
            "[chief, ceo]",
            "seniority “C-level” if title has any word of chief, cto → chief, ceo",
        ),
        ("id: size, dimension: fit", "id: size, dimension: engagement", "size moves from fit to engagement"),
        ("id: quiet", "id: silent", "silent is the new name of quiet"),
        (
            "  - {id: quiet, dimension: engagement, activity: page_view, points: -20, none_within: 60d}\n",
            "",
            "quiet is gone from engagement: -20 points after 60d without page_view",
        ),
        ("Europe/Berlin", "Europe/Paris", "timezone Europe/Berlin → Europe/Paris"),
        ("ceiling: 200", "ceiling: 180", "score ceiling 200 → 180"),
        ("{floor: 0, ceiling: 100}", "{ceiling: 100}", "engagement floor 0 → none"),
        ("fit: {}", "fit: {in_total: false}", "fit no longer counts in the score"),
        ("equals: customer", "equals: client", "audience excludes stage is customer → client"),
        (
            "audience: {exclude: {stage: {equals: customer}}}\n",
            "",
            "audience excludes stage is customer → excludes nobody",
        ),
        ("A: 80", "A: 85", "band A begins at 80 → 85"),
        ("A: 80", "Hot: 80", "band Hot is the new name of A"),
        ("A: 80, ", "", "band A is gone"),
        ("score: {at_least: 100}", "score: {at_least: 90}", "mql fires at 100 → 90"),
        ("fit: {at_least: 2}", "fit: {at_least: 3}", "mql fires when fit at least 2 → 3"),
        ("below: 60", "below: 50", "mql is ready again when score below 60 → 50"),
        (
            "connection: sales}}",
            "connection: crm}}",
            "mql does webhook sales → webhook crm",
        ),
        ("id: mql", "id: sql", "sql is new: fires when score at least 100 and fit at least 2"),
        ("label: Hot", "label: Warm", "mql label “Hot” → “Warm”"),
        ("label: C-level", "label: Chief", "seniority entry “C-level” → “Chief”"),
        ("label: Looked at pricing", "label: Pricing", "pricing_page label “Looked at pricing” → “Pricing”"),
        ("About leads", "About people", "description is reworded"),
        ("expect: {pricing_page: 5}", "expect: {score: 5}", "examples “one” is changed"),
        ("name: one", "name: two", "examples “two” is new"),
    ],
)
def test_an_edit_is_said_in_peoples_words(old: str, new: str, said: str) -> None:
    assert CARD.count(old) == 1, f"{old!r} must be in the card once"
    changes = diff(load(CARD), load(CARD.replace(old, new)))
    assert said in [str(change) for change in changes]
    assert len(changes) == (2 if {old} & {"id: quiet", "id: mql", "name: one"} else 1)


def test_the_entries_of_a_first_of_in_another_order_are_one_change() -> None:
    first, second = CARD.splitlines()[16:18]
    changes = diff(load(CARD), load(CARD.replace(f"{first}\n{second}", f"{second}\n{first}")))
    assert [str(change) for change in changes] == [
        "seniority takes its entries in another order: “Director”, “C-level”"
    ]


def test_even_an_entry_that_stands_there_twice_cannot_hide_a_move() -> None:
    chief, director = CARD.splitlines()[16:18]
    once = CARD.replace(f"{chief}\n{director}", f"{chief}\n{director}\n{chief}")
    moved = CARD.replace(f"{chief}\n{director}", f"{chief}\n{chief}\n{director}")
    assert [change.part for change in diff(load(once), load(moved))] == ["scoring"]


def test_a_new_rule_is_told_whole() -> None:
    more = CARD.replace(
        "automations:",
        "  - {id: demo, dimension: fit, activity: form, where: {asset: {has_word: demo}}, points: 40}\n"
        "automations:",
    )
    assert [str(change) for change in diff(load(CARD), load(more))] == [
        "demo is new in fit: +40 points for each form where asset has the word demo"
    ]


def test_whose_history_counts_is_told() -> None:
    rule = "  - {id: eager, dimension: fit, activity: form, frequency: {count: 3, within: 7d}, points: 4}\n"
    mine = CARD.replace("automations:", rule + "automations:")
    ours = mine.replace("form, frequency", "form, scope: account, frequency")
    people = ours.replace("{count: 3", "{distinct: lead, count: 3")
    assert [str(change) for change in diff(load(mine), load(ours))] == [
        "eager is about the lead alone → its whole account"
    ]
    assert [str(change) for change in diff(load(ours), load(people))] == [
        "eager is given 3 times within 7d → by 3 people within 7d"
    ]
    assert [str(change) for change in diff(load(CARD), load(people))] == [
        "eager is new in fit: +4 points for form of the account, by 3 people within 7d"
    ]


def test_lists_grades_restarts_and_policies_are_told_too() -> None:
    card = load(CARD)
    rivals = Comparison("company", Operator.IN_LIST, Kind.TEXT, ("competitors",))
    old = replace(
        card,
        audience=Not(rivals),
        lists=(ValueList("competitors", "lists/a.txt", frozenset({"acme.com", "x.com"})),),
        grades=Grades((("fit", (Band("A", 60_000), Band("B", 0))),), "{fit}"),
        restart=Restart(("handback",), ALWAYS, ("engagement",), Decimal(1) / 4, 1),  # type: ignore[arg-type]
    )
    new = replace(
        old,
        lists=(ValueList("competitors", "lists/a.txt", frozenset({"acme.com", "a.de", "b.de", "c.de"})),),
        grades=Grades((("fit", (Band("A", 70_000), Band("B", 0))),), "{fit}!"),
        restart=replace(old.restart, keep=Decimal(1) / 2),  # type: ignore[type-var,arg-type]
        automations=(replace(card.automations[0], max_per_run=50, cooldown=30, on_rules_change="hold"),),
    )
    assert [str(change) for change in diff(old, new)] == [
        "competitors list +3 -1",
        "restart keeps 25% → 50%",
        "fit grade A begins at 60 → 70",
        "grades are written {fit} → {fit}!",
        "mql on a rules change: gate → hold",
        "mql at most in one run: as usual → 50",
        "mql cooldown none → 30d",
    ]


# ── whatever the edit ────────────────────────────────────────────────────────────────────────────────


def over_scores() -> st.SearchStrategy[Condition]:
    numbers = st.builds(
        Comparison,
        field=st.sampled_from(["score", "fit"]),
        operator=st.sampled_from([Operator.AT_LEAST, Operator.BELOW]),
        kind=st.just(Kind.NUMBER),
        values=st.sampled_from([Decimal(40), Decimal(80)]).map(lambda number: (number,)),
    )
    return numbers | st.lists(numbers, min_size=1, max_size=2).map(tuple).map(AllOf)


@st.composite
def whole_cards(draw: st.DrawFn) -> Scorecard:
    """A random scorecard with automations, labels and examples."""
    automations = st.builds(
        Automation,
        id=st.sampled_from(["mql", "sql", "pql"]),
        label=st.sampled_from(["Hot", "Warm"]),
        fire_when=over_scores(),
        ready_again_when=st.none() | over_scores(),
        actions=st.sampled_from([(Webhook("a"),), (Webhook("b"),), (Webhook("a"), Webhook("b"))]),
        line=st.integers(1, 9),
        cooldown=st.none() | st.just(30),
        max_per_run=st.none() | st.just(50),
        group=st.sampled_from([None, "calls"]),
        unless=st.none() | lead_conditions(),
    )
    examples = st.builds(
        Example,
        name=st.sampled_from(["one", "two"]),
        as_of=st.just(datetime(2026, 11, 1, tzinfo=UTC)),
        lead=st.just(()),
        activities=st.just(()),
        expect=st.sampled_from([(), (("score", Decimal(3)),)]),
        line=st.integers(1, 9),
    )
    card = draw(scorecards())
    return replace(
        card,
        description=draw(st.sampled_from(["", "about"])),
        rules=tuple(replace(rule, label=draw(st.sampled_from(["x", "y"]))) for rule in card.rules),
        automations=tuple(draw(st.lists(automations, max_size=3, unique_by=lambda one: one.id))),
        examples=tuple(draw(st.lists(examples, max_size=2))),
    )


EDITABLE = ["timezone", "total", "dimensions", "rules", "audience", "bands", "automations", "examples"]
EDITABLE += ["lists", "grades", "restart", "quarantine", "description"]


@st.composite
def edits(draw: st.DrawFn) -> tuple[Scorecard, Scorecard]:
    """A scorecard, and the same with some of its parts taken from another."""
    old, other = draw(whole_cards()), draw(whole_cards())
    taken = draw(st.sets(st.sampled_from(EDITABLE), max_size=3))
    new = replace(old, **{name: getattr(other, name) for name in taken})
    if "rules" in taken and draw(st.booleans()):
        new = replace(new, rules=old.rules[:-1] + other.rules[-1:])
    return old, new


@settings(max_examples=60, deadline=None)
@given(edits())
def test_the_diff_and_the_fingerprint_never_disagree(edit: tuple[Scorecard, Scorecard]) -> None:
    old, new = edit
    changes = diff(old, new)
    assert (changes[0].part if changes else None) == fingerprint(new).wakes(fingerprint(old))
    assert all(change.text.strip() and change.where for change in changes)


@settings(max_examples=40, deadline=None)
@given(whole_cards(), st.data())
def test_one_field_of_one_rule_is_enough(card: Scorecard, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(card.rules) - 1))
    rule = card.rules[index]
    others = {
        "points": st.integers(-5, 5),
        "where": activity_conditions(),
        "limit": limits(),
        "decay": decays(),
        "none_within": st.integers(1, 5),
        "at_least": st.integers(1, 5),
        "within": st.integers(1, 5),
    }
    name = data.draw(st.sampled_from([field for field in others if hasattr(rule, field)] or ["label"]))
    value = data.draw(others.get(name, st.just("z")))
    edited = replace(
        card, rules=(*card.rules[:index], replace(rule, **{name: value}), *card.rules[index + 1 :])
    )
    changes = diff(card, edited)
    assert (changes[0].part if changes else None) == fingerprint(edited).wakes(fingerprint(card))
    assert {change.where for change in changes} <= {rule.id}


def test_the_order_of_a_group_means_something() -> None:
    first = load(CARD).automations[0]
    card = replace(
        load(CARD), automations=(replace(first, group="calls"), replace(first, id="sql", group="calls"))
    )
    turned = replace(card, automations=card.automations[::-1])
    assert [str(change) for change in diff(card, turned)] == [
        "group calls takes its automations in another order: sql, mql"
    ]


def test_a_card_is_no_different_from_itself_written_in_another_order() -> None:
    card = load(CARD)
    shuffled = replace(
        card,
        rules=card.rules[::-1],
        dimensions=(Dimension("fit", Range()), card.dimensions[0]),
        bands=card.bands[::-1],
    )
    assert diff(card, shuffled) == ()
