"""A rule that looks back further than a CRM's history is read is told."""

from pathlib import Path

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.errors import MappingInvalid
from rescore.rules.lint import lint
from rescore.rules.load import load_scorecard

CARD = """\
scorecard: test
dimensions: {{engagement: {{}}}}
rules:
  - id: x
    dimension: engagement
    activity: call
    points: 5
    {more}
"""
BODY = Path("include/mappings/hubspot.yaml").read_bytes()


def warnings(more: str, history: str = "history: 100d\n") -> list[tuple[int, str]]:
    body = CARD.format(more=more).encode()
    mapping = load_mapping(history.encode() + BODY, "hubspot.yaml")
    card = load_scorecard(body, name="test.yaml")
    found = lint(card, body=body, mappings={"hubspot": mapping})
    return [(warning.line, warning.message) for warning in found if warning.code == "beyond-history"]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("limit: {count: 3}", 4),
        ("decay: {half_life: 90d}", 8),
        ("decay: {expires: 101d}", 4),
        ("frequency: {days: 3, within: 101d}", 8),
        ("none_within: 101d", 8),
    ],
    ids=str,
)
def test_a_rule_that_looks_back_further_is_told_at_its_place(more, line):
    [(where, message)] = warnings(more)
    assert where == line
    assert "of hubspot only the last 100 days are read at first" in message


@pytest.mark.parametrize(
    "more",
    [
        "decay: {half_life: 14d}",
        "decay: {expires: 100d}",
        "frequency: {days: 3, within: 100d}",
        "none_within: 60d",
    ],
    ids=str,
)
def test_a_rule_that_is_content_with_it_is_not(more):
    assert warnings(more) == []


def test_without_a_history_every_rule_may_look_back_as_far_as_it_likes():
    assert warnings("none_within: 999d", history="") == []


@pytest.mark.parametrize("written", ["0d", "1y", "400", "'400d '", "00001d"])
def test_a_history_is_told_in_days(written):
    with pytest.raises(MappingInvalid, match="write days, such as `400d`"):
        load_mapping(f"history: {written}\n".encode() + BODY, "hubspot.yaml")
