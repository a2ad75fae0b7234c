"""docs/reliability.md: the contract has its thirteen promises, and the tests that it names are there."""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CONTRACT = (
    (PROJECT / "docs" / "reliability.md")
    .read_text()
    .partition("\n## The contract\n")[2]
    .partition("\n## ")[0]
)
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", CONTRACT)))


def test_the_thirteen_promises_are_there_each_with_a_test():
    rows = [line.split(" | ") for line in CONTRACT.splitlines() if re.match(r"\| (\d+)? ?\|", line)][1:]
    assert [row[0].strip("| ") for row in rows] == [*map(str, range(1, 14)), ""]
    assert [row for row in rows if "::test_" not in row[2]] == []


@pytest.mark.parametrize(("file", "name"), TESTS, ids=[f"{file}::{name}" for file, name in TESTS])
def test_a_test_that_the_contract_names_exists(file, name):
    tree = ast.parse((PROJECT / file).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
