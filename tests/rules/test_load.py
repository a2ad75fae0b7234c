"""Loading: a bad rules file is refused with all its problems, each at its place and with a way out."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.rules.card import Operator
from rescore.rules.load import check_scorecard
from rescore.strict.yaml import read_document
from tests.rules.bad_files import BAD_FILES, BadFile
from tests.rules.bad_files.writing import FINE, HEAD


def places(marked: str) -> list[tuple[int, int]]:
    """Line and column of what follows each `¶`."""
    found = []
    for number, line in enumerate(marked.split("\n"), start=1):
        parts = line.split("¶")
        found += [(number, len("".join(parts[: index + 1])) + 1) for index in range(len(parts) - 1)]
    return found


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in BAD_FILES])
def test_a_bad_file_is_refused_with_every_problem_at_its_place(bad: BadFile) -> None:
    card, problems = check_scorecard(bad.text.replace("¶", "").encode())

    assert card is None
    assert [(problem.line, problem.column) for problem in problems] == places(bad.text)
    for problem, said in zip(problems, bad.says, strict=True):
        assert said in problem.message


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in BAD_FILES])
def test_every_message_names_a_way_out(bad: BadFile) -> None:
    for problem in check_scorecard(bad.text.replace("¶", "").encode())[1]:
        assert "; " in problem.message


def test_a_message_is_one_line_of_bearable_length_whatever_the_file_says() -> None:
    forged = "x\\nother.yaml:1:1: all is well"
    _, problems = check_scorecard(f'{HEAD}rules:\n{FINE}"{forged}": 1\n? {"k" * 9000}\n: 1\n'.encode())
    assert len(problems) == 2
    for problem in problems:
        assert problem.message.isprintable()
        assert len(problem.message) < 250


def test_more_problems_than_anybody_reads_are_counted() -> None:
    _, problems = check_scorecard(f"{HEAD}rules:\n".encode() + b"  - {}\n" * 1000)
    assert len(problems) == 201
    assert problems[-1].message == "and 3,800 more problems from here on; correct those above first"


RULE = "  - {id: x, dimension: fit, points: 1, "
BANDS = f"{{{', '.join(f'b{bound}: {bound}' for bound in range(99))}}}"
PLACES = "-".join(f"{{d{number}}}" for number in range(9))
BIG = {
    "unknown keys": "".join(f"k{number}: 1\n" for number in range(5900)),
    "empty rules": "  - {}\n" * 11_000,
    "one long list": f"{RULE}lead: {{a: {{in: {[*range(11_000)]}}}}}}}\n",
    "one long id": f"  - {{id: {'a_' * 100_000}, dimension: fit, activity: a, points: 1}}\n",
    "one long field": f"{RULE}lead: {{? {'a__' * 60_000} : {{is: true}}}}}}\n",
    "one long zone": f"timezone: {'Europe/Berln' * 10_000}\n",
    "many grades": f"grades: {{{', '.join(f'd{n}: {BANDS}' for n in range(9))}, label: '{PLACES}'}}\n",
    "one long grade": f"grades: {{fit: {BANDS}, label: '{'{fit}' * 40_000}'}}\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in BIG.items()])
def test_a_file_made_to_be_slow_is_not(text: str) -> None:
    started = time.process_time()
    check_scorecard(f"{HEAD}rules:\n{FINE}{text}".encode())
    assert time.process_time() - started < 5, "meant to be below one second; five on a busy machine"


WORDS = st.sampled_from(
    [
        "scorecard",
        "dimensions",
        "rules",
        "bands",
        "automations",
        "examples",
        "score",
        "band",
        "engagement",
        "fit",
        "id",
        "label",
        "dimension",
        "activity",
        "points",
        "where",
        "limit",
        "decay",
        "count",
        "first",
        "per",
        "day",
        "steps",
        "after",
        "keep",
        "expires",
        "half_life",
        "linear",
        "frequency",
        "within",
        "days",
        "distinct",
        "none_within",
        "lead",
        "first_of",
        "when",
        "audience",
        "exclude",
        "all",
        "any",
        "not",
        "fire_when",
        "ready_again_when",
        "do",
        "webhook",
        "connection",
        "name",
        "as_of",
        "activities",
        "type",
        "at",
        "expect",
        "14d",
        "2026-11-01",
        "page_view",
        "UTC",
    ]
    + [str(operator) for operator in Operator]
)
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-200_000, 200_000)
    | st.floats(-9, 9)
    | WORDS
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)

WHOLE = """\
scorecard: test
timezone: UTC
score: {floor: 0}
dimensions: {engagement: {floor: 0, ceiling: 100}, fit: {}}
audience: {exclude: {any: [{stage: {in: [a]}}, {not: {size: {between: [1, 2]}}}]}}
bands: {A: 80, B: 0}
rules:
  - {id: a, dimension: fit, activity: [b, c], points: 1, where: {asset: {has_word: d}},
     limit: {count: 1, per: day}, decay: {steps: [{after: 1d, keep: 0.5}], expires: 9d}}
  - {id: b, dimension: fit, activity: b, points: 1, frequency: {distinct: asset, count: 2, within: 7d}}
  - {id: c, dimension: fit, activity: b, points: 1, none_within: 7d}
  - {id: d, dimension: fit, lead: {since: {newer_than: 9d}}, points: 1}
  - {id: e, dimension: fit, first_of: [{when: {flag: {is: true}}, points: 1, label: f}]}
automations:
  - {id: x, fire_when: {score: {at_least: 5}}, ready_again_when: {band: {in: [B]}},
     do: [{webhook: {connection: c}}]}
examples:
  - {name: n, as_of: 2026-11-01, lead: {size: 3}, activities: [{type: b, at: 2026-10-01, asset: d}],
     expect: {score: 1}}
"""


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places_in(item, (*path, key)))]


@settings(max_examples=250)
@given(st.data())
def test_junk_anywhere_in_a_file_is_refused_or_loaded_and_never_crashes(data: st.DataObject) -> None:
    document, _ = read_document(WHOLE.encode())
    assert document is not None
    content: Any = json.loads(json.dumps(document.data, default=float))
    *parents, last = data.draw(st.sampled_from(places_in(content)[1:]))
    spot = content
    for step in parents:
        spot = spot[step]
    spot[last] = data.draw(JUNK)
    card, problems = check_scorecard(json.dumps(content, indent=1).encode())
    assert (card is None) == bool(problems)


def test_the_file_that_junk_is_put_into_holds() -> None:
    assert check_scorecard(WHOLE.encode())[1] == []
