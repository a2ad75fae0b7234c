"""The fingerprint: what has no meaning moves nothing, and each kind of edit moves its own part."""

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.rules.fingerprint import Fingerprint, fingerprint
from rescore.rules.load import load_scorecard
from rescore.strict.yaml import read_document

B2B = Path("include/rules/b2b_saas.yaml").read_bytes()
ORDER_MEANS_NOTHING = {"rules", "automations", "examples", "quarantine", "activity", "activities"}
ORDER_MEANS_NOTHING |= {"all", "any", "in"}

CARD = """\
scorecard: test
description: About leads
timezone: Europe/Berlin
score: {floor: 0, ceiling: 200}
dimensions: {engagement: {floor: 0, ceiling: 100}, fit: {in_total: true}}
audience: {exclude: {stage: {equals: customer}}}
bands: {A: 80, B: 40}
rules:
  - {id: visit, label: Visited, dimension: engagement, activity: [page_view, email_click], points: 5,
     where: {asset: {starts_with_any: [/a, /b]}}, limit: {count: 6}, decay: {half_life: 14d}}
  - {id: often, dimension: engagement, activity: page_view, points: 10, frequency: {days: 3, within: 7d}}
  - {id: quiet, dimension: engagement, activity: page_view, points: -20, none_within: 60d}
  - {id: size, dimension: fit, lead: {size: {between: [10, 50]}}, points: 1.5}
  - id: seniority
    dimension: fit
    first_of:
      - {when: {title: {has_any_word: [chief, cto]}}, points: 30, label: C-level}
      - {when: {title: {has_word: director}}, points: 20}
automations:
  - {id: mql, label: Hot, fire_when: {score: {at_least: 80}, fit: {at_least: 2}},
     ready_again_when: {score: {below: 60}},
     do: [{webhook: {connection: sales}}, {webhook: {connection: chat}}]}
examples:
  - {name: one, as_of: 2026-11-01, expect: {visit: 5},
     activities: [{type: page_view, asset: /a, at: 2026-11-01}]}
"""


def of(text: str | bytes) -> Fingerprint:
    body = text.encode() if isinstance(text, str) else text
    return fingerprint(load_scorecard(body, name="test.yaml"))


def edited(old: str, new: str) -> Fingerprint:
    assert CARD.count(old) == 1, f"{old!r} must be in the card once"
    return of(CARD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "scorecard: test\n", "# a comment\nscorecard:   'test' # more\n", id="comments and quotes"
        ),
        pytest.param("{A: 80, B: 40}", "{B: 40, A: 80}", id="the order of bands"),
        pytest.param("points: 1.5", "points: 1.500", id="zeros"),
        pytest.param("half_life: 14d", "half_life: 2w", id="weeks for days"),
        pytest.param("[page_view, email_click]", "[email_click, page_view]", id="the order of types"),
        pytest.param("[/a, /b]", "[/b, /a]", id="the order of alternatives"),
        pytest.param("[chief, cto]", "[cto, chief]", id="the order of words"),
        pytest.param(
            "{score: {at_least: 80}, fit: {at_least: 2}}",
            "{fit: {at_least: 2}, score: {at_least: 80.0}}",
            id="the order of conditions",
        ),
        pytest.param(
            "{score: {at_least: 80}, fit: {at_least: 2}}",
            "{all: [{score: {at_least: 80}}, {fit: {at_least: 2}}]}",
            id="all for a map",
        ),
        pytest.param("{in_total: true}", "{}", id="a default written out"),
        pytest.param("label: Visited", 'label: "Visited"', id="quotes around a label"),
    ],
)
def test_another_way_of_writing_the_same_moves_nothing(old: str, new: str) -> None:
    assert edited(old, new) == of(CARD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timezone: Europe/Berlin", "timezone: Europe/Paris"),
        ("score: {floor: 0, ceiling: 200}", "score: {floor: 1, ceiling: 200}"),
        ("score: {floor: 0, ceiling: 200}", "score: {floor: 0}"),
        ("engagement: {floor: 0, ceiling: 100}", "engagement: {floor: 0, ceiling: 99}"),
        ("{in_total: true}", "{in_total: false}"),
        ("equals: customer", "equals: client"),
        ("audience: {exclude: {stage: {equals: customer}}}\n", ""),
        ("points: 5,", "points: 5.001,"),
        ("points: 5,", "points: -5,"),
        ("[page_view, email_click]", "[page_view]"),
        ("starts_with_any: [/a, /b]", "contains_any: [/a, /b]"),
        ("where: {asset: {starts", "where: {path: {starts"),
        ("where: {asset: {starts_with_any: [/a, /b]}}, ", ""),
        ("limit: {count: 6}", "limit: {count: 7}"),
        ("limit: {count: 6}", "limit: {count: 6, per: day}"),
        ("limit: {count: 6}", "limit: {points: 6}"),
        ("half_life: 14d", "linear: 14d"),
        ("half_life: 14d", "half_life: 15d"),
        ("decay: {half_life: 14d}", "decay: {half_life: 14d, expires: 90d}"),
        ("{days: 3, within: 7d}", "{count: 3, within: 7d}"),
        ("{days: 3, within: 7d}", "{days: 3, within: 8d}"),
        ("none_within: 60d", "none_within: 61d"),
        ("between: [10, 50]", "between: [10, 51]"),
        ("points: 30, label: C-level", "points: 31, label: C-level"),
        ("has_word: director", "has_word: head"),
        ("id: size, dimension: fit", "id: size, dimension: engagement"),
        ("id: quiet", "id: silent"),
    ],
)
def test_an_edit_that_can_change_a_score_moves_scoring(old: str, new: str) -> None:
    assert edited(old, new).wakes(of(CARD)) == "scoring"


def test_the_order_of_a_first_of_has_meaning() -> None:
    first, second = CARD.splitlines()[16:18]
    assert "C-level" in first
    swapped = CARD.replace(f"{first}\n{second}", f"{second}\n{first}")
    assert of(swapped).wakes(of(CARD)) == "scoring"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{A: 80, B: 40}", "{A: 81, B: 40}"),
        ("{A: 80, B: 40}", "{Hot: 80, B: 40}"),
        ("fire_when: {score: {at_least: 80}", "fire_when: {score: {above: 80}"),
        ("below: 60", "below: 61"),
        ("ready_again_when: {score: {below: 60}},\n", ""),
        ("connection: sales", "connection: marketing"),
        ("{webhook: {connection: sales}}, {webhook: {connection: chat}}", "{webhook: {connection: sales}}"),
        ("id: mql", "id: sql"),
    ],
)
def test_an_edit_of_bands_or_automations_moves_thresholds_alone(old: str, new: str) -> None:
    after, before = edited(old, new), of(CARD)
    assert after.scoring == before.scoring
    assert after.wakes(before) == "thresholds"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("label: Visited", "label: Was here"),
        ("label: C-level", "label: Boss"),
        ("label: Hot", "label: Warm"),
        ("description: About leads", "description: About people"),
        ("name: one", "name: uno"),
        ("expect: {visit: 5}", "expect: {visit: 4}"),
        ("as_of: 2026-11-01", "as_of: 2026-11-02"),
    ],
)
def test_an_edit_of_words_moves_wording_alone(old: str, new: str) -> None:
    after, before = edited(old, new), of(CARD)
    assert (after.scoring, after.thresholds) == (before.scoring, before.thresholds)
    assert after.wakes(before) == "wording"


def test_the_strongest_part_decides_what_is_woken() -> None:
    both = CARD.replace("points: 5,", "points: 6,").replace("below: 60", "below: 61")
    assert of(both).wakes(of(CARD)) == "scoring"
    assert of(CARD).wakes(of(both)) == "scoring"
    assert of(CARD).wakes(of(CARD)) is None


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_and_of_lists_without_meaning_moves_nothing(shuffler: random.Random) -> None:
    document, _ = read_document(B2B)
    assert document is not None
    assert of(json.dumps(shuffled(document.data, shuffler))) == of(B2B)


def shuffled(value: Any, shuffler: random.Random, key: str = "") -> Any:
    if isinstance(value, dict):
        entries = [(name, shuffled(item, shuffler, name)) for name, item in value.items()]
        shuffler.shuffle(entries)
        return dict(entries)
    if isinstance(value, list):
        items = [shuffled(item, shuffler) for item in value]
        if key in ORDER_MEANS_NOTHING or key.endswith("_any") or key.startswith("has_any"):
            shuffler.shuffle(items)
        return items
    return float(value) if isinstance(value, Decimal) else value


def test_a_fingerprint_outlives_the_build_that_made_it() -> None:
    """Were it to move by accident, an upgrade would rescore everybody."""
    assert of(CARD) == Fingerprint(
        scoring="ddc687acefc2417734ac40e907a6d100f058403fbb1936335425a6459a41b164",
        thresholds="1ce12f8fff8df9f496bf4aa5e3c1d70f99374d9d95919e3282752b1b6f736711",
        wording="83ba0fb0f281ae4f446088db152e4eb38111184a5c6a857d41622000e3ee8f34",
    )


GRADED = f"""{CARD}
grades: {{fit: {{A: 20, B: 0}}, engagement: {{"1": 60}}, label: '{{fit}}{{engagement}}'}}
restart: {{activity: [meeting, call], dimensions: [fit, engagement], keep: 25%}}
"""


@pytest.mark.parametrize(
    ("old", "new", "wakes"),
    [
        pytest.param("fit: {A: 20, B: 0}", "fit: {B: 0, A: 20.0}", None, id="the order of a grade's bands"),
        pytest.param("keep: 25%", "keep: 0.25", None, id="a share for a percentage"),
        pytest.param(", dimensions: [fit, engagement]", "", None, id="all dimensions, unsaid"),
        pytest.param("[meeting, call]", "[call, meeting]", None, id="the order of what restarts"),
        pytest.param("A: 20", "A: 21", "thresholds", id="a bound of a grade"),
        pytest.param("'{fit}{eng", "'{fit}-{eng", "thresholds", id="how grades are written"),
        pytest.param("keep: 25%", "keep: 30%", "scoring", id="what is kept"),
        pytest.param("[fit, engagement]", "[fit]", "scoring", id="whose points a restart discounts"),
        pytest.param("activity: [meeting, call]", "activity: meeting", "scoring", id="what restarts"),
    ],
)
def test_grades_are_thresholds_and_a_restart_is_scoring(old: str, new: str, wakes: str | None) -> None:
    assert GRADED.count(old) == 1
    assert of(GRADED.replace(old, new)).wakes(of(GRADED)) == wakes
