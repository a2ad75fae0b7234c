"""SECURITY.md: every control names code and tests that are there, and the lock file is one."""

import ast
import re

import pytest

from tests.support.airflow_home import PROJECT

TEXT = (PROJECT / "SECURITY.md").read_text()
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)


def test_the_seventeen_controls_are_there_each_with_code_and_a_test():
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, 18))
    for row in ROWS:
        _, _, _, where, shown, _ = row.split("|")
        files = re.findall(r"`([^`]+)`", where)
        assert files, row
        assert [file for file in files if not (PROJECT / file).is_file()] == []
        assert "::test_" in shown, row


@pytest.mark.parametrize(("file", "name"), TESTS, ids=[f"{file}::{name}" for file, name in TESTS])
def test_a_test_that_is_named_exists(file, name):
    tree = ast.parse((PROJECT / file).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_locked_by_version_and_hash(file):
    text = re.sub(r"\\\n", " ", (PROJECT / file).read_text())
    wanted = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(wanted) > 20
    assert [line for line in wanted if not re.match(r"\S+==\S+.*--hash=sha256:[0-9a-f]{64}", line)] == []
