"""The JSON Schema of rules files, for editors: it completes keys, explains them and marks what is unknown.

The loader knows more (references, whole sentences of advice); the schema accepts whatever it accepts.

    python -m rescore.rules.json_schema > include/rules/scorecard.schema.json
"""

import json
from typing import Any, Final

from rescore.rules.card import Operator
from rescore.rules.conditions import (
    BAND_OPERATORS,
    LABELS,
    MANY_TEXTS,
    NUMBERS,
    ONE_TEXT,
    SCORE_OPERATORS,
)
from rescore.rules.file import ScorecardFile
from rescore.rules.list_use import OF_LISTS
from rescore.rules.values import DURATION_SCHEMA

TEXT: Final = {"type": "string", "minLength": 1}
NUMBER: Final = {"type": "number"}
TEXTS: Final = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}
SEVERAL: Final = {"type": "array", "items": NUMBER, "minItems": 1, "uniqueItems": True}
PAIR: Final = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}

EXPLAINED: Final = {
    Operator.EQUALS: "The same text (capitals do not matter) or number.",
    Operator.IN: "Any of a list of texts or numbers.",
    Operator.CONTAINS: "The text is somewhere inside.",
    Operator.CONTAINS_ANY: "Any of the texts is somewhere inside.",
    Operator.STARTS_WITH: "Begins with the text.",
    Operator.STARTS_WITH_ANY: "Begins with any of the texts.",
    Operator.ENDS_WITH: "Ends with the text.",
    Operator.ENDS_WITH_ANY: "Ends with any of the texts.",
    Operator.HAS_WORD: "The words stand in it, whole and in this order: cto is not in director.",
    Operator.HAS_ANY_WORD: "Any of these words, or runs of words, stands in it whole.",
    Operator.AT_LEAST: "This number or more.",
    Operator.AT_MOST: "This number or less.",
    Operator.ABOVE: "More than this number.",
    Operator.BELOW: "Less than this number.",
    Operator.BETWEEN: "From the first number to the second, both included.",
    Operator.IS: "A flag is true, or false.",
    Operator.EXISTS: "There is a value, or none.",
    Operator.NEWER_THAN: "A date less than this long ago, or in the future.",
    Operator.OLDER_THAN: "A date at least this long ago.",
    Operator.IN_LIST: "The text is one of the values of a list.",
    Operator.DOMAIN_IN_LIST: "The domain of an address or URL, or one above it, is in a list.",
}


def scorecard_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a rules file."""
    schema: dict[str, Any] = _tidy(ScorecardFile.model_json_schema())
    schema["$defs"] |= {
        "Condition": _condition("Condition", {}, {"$ref": "#/$defs/Comparison"}),
        "Comparison": _operators(list(Operator)),
        "ScoresCondition": _condition(
            "ScoresCondition",
            {label: _operators(BAND_OPERATORS) for label in LABELS},
            _operators(SCORE_OPERATORS),
        ),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Rescore rules file"} | schema


def schema_text() -> str:
    """The schema as it is committed beside the scorecards."""
    return json.dumps(scorecard_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(schema: Any) -> Any:
    """What pydantic wrote, with references to conditions, and without null: every key has a value."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    if "condition" in schema:
        return {"$ref": f"#/$defs/{schema['condition']}"}
    tidy = {
        key: _tidy(item)
        for key, item in schema.items()
        if not (key == "title" and isinstance(item, str)) and (key, item) != ("default", None)
    }
    match tidy.get("anyOf"):
        case [dict(only)]:
            return {**only, **{key: item for key, item in tidy.items() if key != "anyOf"}}
        case _:
            return tidy


def _condition(name: str, named: dict[str, Any], any_field: dict[str, Any]) -> dict[str, Any]:
    self = {"$ref": f"#/$defs/{name}"}
    several = {"type": "array", "items": self, "minItems": 1}
    return {
        "type": "object",
        "minProperties": 1,
        "description": "Several entries mean all of them.",
        "properties": {
            "all": {**several, "description": "Every one holds."},
            "any": {**several, "description": "At least one holds."},
            "not": {**self, "description": "It does not hold; a missing value makes this true."},
            **named,
        },
        "additionalProperties": any_field,
    }


def _operators(allowed: list[Operator]) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            str(operator): {**_literal(operator), "description": EXPLAINED[operator]} for operator in allowed
        },
    }


def _literal(operator: Operator) -> dict[str, Any]:
    if operator in ONE_TEXT or operator in OF_LISTS:
        return TEXT
    if operator in MANY_TEXTS:
        return TEXTS
    if operator in NUMBERS:
        return NUMBER
    match operator:
        case Operator.EQUALS:
            return {"anyOf": [TEXT, NUMBER]}
        case Operator.IN:
            return {"anyOf": [TEXTS, SEVERAL]}
        case Operator.BETWEEN:
            return PAIR
        case Operator.IS | Operator.EXISTS:
            return {"type": "boolean"}
        case _:
            return DURATION_SCHEMA


if __name__ == "__main__":
    print(schema_text(), end="")
