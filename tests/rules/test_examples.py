"""Worked examples: a scorecard's own numbers, run; and those of the shipped scorecards."""

from pathlib import Path

import pytest

from rescore.rules.examples import failed_examples
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard

RULES = Path("include/rules")
SHIPPED = sorted([*RULES.glob("*.yaml"), *RULES.glob("*.yaml.example")])

CARD = """\
scorecard: test
timezone: Europe/Berlin
dimensions: {engagement: {}, fit: {ceiling: 8}}
audience: {exclude: {stage: {equals: customer}}}
bands: {A: 10, B: 0}
rules:
  - {id: visit, dimension: engagement, activity: page_view, points: 5, decay: {half_life: 14d}}
  - {id: big, dimension: fit, lead: {size: {at_least: 100}}, points: 9}
  - {id: rich, dimension: engagement, activity: purchase, where: {value: {above: 99.5}}, points: 0.125}
  - {id: vip, dimension: engagement, activity: purchase, where: {vip: {is: true}}, points: 1}
examples:
"""


def failures(example: str) -> list[str]:
    card = load_scorecard(f"{CARD}  - {{name: n, as_of: 2026-11-01, {example}}}\n".encode(), name="test.yaml")
    return [problem.message for problem in failed_examples(card)]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in SHIPPED])
def test_the_examples_of_a_shipped_scorecard_hold(path: Path) -> None:
    body = path.read_bytes()
    card = load_scorecard(body, name=path.name, lists=read_lists(body, RULES))
    assert len(card.examples) >= 4
    assert failed_examples(card) == []


@pytest.mark.parametrize(
    "example",
    [
        pytest.param("expect: {score: 0, band: B, visit: 0}", id="nothing happened"),
        pytest.param("activities: [{type: page_view, at: 2026-11-01}], expect: {visit: 5}", id="today"),
        pytest.param(
            "activities: [{type: page_view, at: 2026-10-18}], expect: {visit: 2.5, score: 3}", id="decay"
        ),
        pytest.param(
            "activities: [{type: page_view, at: 2026-11-01T22:59:59Z}], expect: {visit: 5}",
            id="the last second of the local day counts",
        ),
        pytest.param(
            "activities: [{type: page_view, at: 2026-11-01T23:00:00Z}], expect: {visit: 0}",
            id="the next day does not",
        ),
        pytest.param("lead: {size: 100}, expect: {big: 9, fit: 8, score: 8}", id="an attribute, a ceiling"),
        pytest.param("lead: {size: null}, expect: {big: 0}", id="a missing attribute"),
        pytest.param("lead: {stage: customer}, expect: {score: null, band: null}", id="outside the audience"),
        pytest.param(
            "activities: [{type: purchase, at: 2026-11-01, value: 100, vip: true}, "
            "{type: purchase, at: 2026-11-01, value: 99.5, vip: false}], expect: {rich: 0.125, vip: 1}",
            id="fields of their own types",
        ),
    ],
)
def test_an_example_that_holds(example: str) -> None:
    assert failures(example) == []


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ("expect: {score: 3}", "`score` is 0, not 3"),
        ("expect: {band: A}", "`band` is `B`, not `A`"),
        ("expect: {band: null}", "`band` is `B`, not missing"),
        ("lead: {stage: customer}, expect: {score: 0}", "`score` is missing, not 0"),
        (
            "activities: [{type: page_view, at: 2026-10-18}], expect: {visit: 2.501}",
            "`visit` is 2.5, not 2.501",
        ),
    ],
)
def test_an_example_that_does_not_hold_says_both_numbers(example: str, message: str) -> None:
    assert failures(example) == [f"example `n`: {message}; correct the rule or the example"]


def test_every_number_that_differs_is_listed_at_its_example() -> None:
    body = CARD + (
        "  - {name: fine, as_of: 2026-11-01, expect: {score: 0}}\n"
        "  - {name: off, as_of: 2026-11-01, expect: {score: 1, visit: 2}}\n"
    )
    problems = failed_examples(load_scorecard(body.encode(), name="test.yaml"))
    assert [(problem.line, problem.message[:13]) for problem in problems] == [(13, "example `off`")] * 2


BUYING_GROUP = """\
scorecard: test
dimensions: {engagement: {}}
rules:
  - id: buying_group
    dimension: engagement
    scope: account
    activity: page_view
    frequency: {distinct: lead, count: 3, within: 30d}
    points: 10
examples:
  - name: three people of one company
    as_of: 2026-11-01
    lead: {account: acme}
    activities: [{type: page_view, at: 2026-10-20}]
    colleagues:
      - activities: [{type: page_view, at: 2026-10-21}, {type: page_view, at: 2026-10-22}]
      - activities: [{type: page_view, at: 2026-10-23}]
    expect: {buying_group: 10}
  - name: two people of a company that another example calls the same
    as_of: 2026-11-01
    lead: {account: acme}
    colleagues: [{activities: [{type: page_view, at: 2026-10-21}]}, {activities: []}]
    expect: {buying_group: 0}
"""


def test_colleagues_of_an_example_are_of_its_account_and_of_no_other_examples() -> None:
    assert failed_examples(load_scorecard(BUYING_GROUP.encode(), name="test.yaml")) == []
    missing = BUYING_GROUP.replace("expect: {buying_group: 10}", "expect: {buying_group: 0}")
    [problem] = failed_examples(load_scorecard(missing.encode(), name="test.yaml"))
    assert "`buying_group` is 10, not 0" in problem.message
