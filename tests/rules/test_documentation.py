"""docs/rules.md lists identifiers and shows files: both are true."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from rescore.policy.file import read_policy
from rescore.rules.card import Operator
from rescore.rules.examples import failed_examples
from rescore.rules.json_schema import scorecard_json_schema
from rescore.rules.lists import read_lists
from rescore.rules.load import check_scorecard
from rescore.strict.yaml import Problem

PAGE = Path("docs/rules.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
POLICY = Path("include/policy.yaml")
((OPENS, OPENED),) = (pair for pair in pairwise(BLOCKS) if pair[0].startswith("internal_domains:"))
"""Lines for the policy, and the example after them, which needs them."""

CARDS = [block for block in BLOCKS if block not in (OPENS, OPENED)]
HEAD = "scorecard: test\ndimensions: {engagement: {}, fit: {}}\n"
RULE = "  - {id: pricing_page, dimension: fit, activity: page_view, points: 5, decay: {half_life: 14d}}\n"


def whole_file(block: str) -> str:
    """A block that shows a part, in the smallest file that has the rest."""
    if block.startswith("scorecard:"):
        return block
    if block.startswith("- id:"):
        return f"{HEAD}rules:\n{block}"
    if "\nrules:\n" in block:
        return f"{HEAD}{block}"
    return f"{HEAD}rules:\n{RULE}{block}"


def keys() -> set[str]:
    """Every key of the language, from the schema."""
    schema = scorecard_json_schema()
    return {key for shape in (schema, *schema["$defs"].values()) for key in shape.get("properties", {})}


def problems(block: str, policy: Path) -> list[Problem]:
    """What `check` says of a block, its examples included, in a deployment with this policy."""
    body = whole_file(block).encode()
    lists = read_lists(body, Path("include/rules"))
    card, found = check_scorecard(body, lists=lists, house=read_policy(policy).house)
    return failed_examples(card) if card is not None else found


@pytest.mark.parametrize("block", [pytest.param(block, id=block.split("\n")[0]) for block in CARDS])
def test_what_the_page_shows_passes_under_the_policy_that_is_shipped(block: str) -> None:
    assert problems(block, POLICY) == []


def test_what_needs_lines_in_the_policy_passes_with_those_the_page_shows_and_not_without(tmp_path) -> None:
    shipped = POLICY.read_text()
    opened = tmp_path / "policy.yaml"
    opened.write_text(shipped.replace("internal_domains: []\n", OPENS))
    assert problems(OPENED, opened) == []
    said = " ".join(one.message for one in problems(OPENED, POLICY))
    assert "sales@example.com" in said
    assert "lead_url" in said


@pytest.mark.parametrize("written", re.findall(r"^\| `((?:limit|decay): .*?)` \|", PAGE, re.MULTILINE))
def test_a_limit_or_decay_in_a_table_can_be_loaded(written: str) -> None:
    rule = f"  - {{id: x, dimension: fit, activity: a, points: 1, {written}}}\n"
    assert check_scorecard(f"{HEAD}rules:\n{rule}".encode())[1] == []


def test_the_operators_in_the_table_are_the_operators_there_are() -> None:
    table = PAGE.split("| operator | takes |")[1].split("\n\n")[0]
    listed = [word for row in table.splitlines()[2:] for word in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert listed == [str(operator) for operator in Operator]


def test_every_key_of_the_language_is_on_the_page() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert keys() - words == set()


def test_what_the_page_says_is_refused_is_refused_by_name() -> None:
    section = PAGE.split("## Not in this build")[1]
    for word in set(re.findall(r"`(\w+)`", section)) - {"check", "webhook"}:
        tries = (
            f"{word}: 1\n",
            f"automations:\n  - {{id: a, fire_when: {{score: {{above: 1}}}}, do: [], {word}: 1}}\n",
            f"automations:\n  - {{id: a, fire_when: {{score: {{above: 1}}}}, do: [{{{word}: 1}}]}}\n",
            f"  - {{id: x, dimension: fit, points: 1, lead: {{a: {{{word}: b}}}}}}\n",
        )
        found = [check_scorecard(f"{HEAD}rules:\n{RULE}{text}".encode())[1] for text in tries]
        said = [problem.message for problems in found for problem in problems]
        assert any(f"this build cannot execute `{word}` yet" in message for message in said), word
