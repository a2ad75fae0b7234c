"""The JSON Schema that editors read: it is current, and it agrees with the loader."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rescore.rules.card import Operator
from rescore.rules.json_schema import schema_text, scorecard_json_schema
from rescore.strict.yaml import read_document
from tests.rules.bad_files import BAD_FILES

RULES = Path("include/rules")
SHIPPED = sorted([*RULES.glob("*.yaml"), *RULES.glob("*.yaml.example")])
SCHEMA = scorecard_json_schema()


def errors(body: bytes) -> list[str]:
    document, _ = read_document(body)
    assert document is not None
    plain: Any = json.loads(json.dumps(document.data, default=float))
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(plain)]


def test_the_committed_schema_is_current() -> None:
    assert (RULES / "scorecard.schema.json").read_text() == schema_text(), (
        "write it again: python -m rescore.rules.json_schema > include/rules/scorecard.schema.json"
    )


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in SHIPPED])
def test_a_shipped_scorecard_names_the_schema_and_holds_under_it(path: Path) -> None:
    body = path.read_bytes()
    assert body.startswith(b"# yaml-language-server: $schema=scorecard.schema.json\n")
    assert errors(body) == []


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_is_offered_and_explained(operator: Operator) -> None:
    offered = SCHEMA["$defs"]["Comparison"]["properties"][operator]
    assert offered["description"]


def test_most_bad_files_are_marked_by_an_editor_before_anybody_runs_check() -> None:
    bodies = [bad.text.replace("¶", "").encode() for bad in BAD_FILES]
    readable = [body for body in bodies if not read_document(body)[1]]
    assert sum(bool(errors(body)) for body in readable) > 0.75 * len(readable)
