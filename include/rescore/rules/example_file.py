"""The worked examples at the end of a rules file, as written."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from rescore.rules.card import Scalar
from rescore.rules.moments import is_moment
from rescore.rules.names import FIELD, Names
from rescore.rules.values import is_number, thousandths_of
from rescore.strict_model import Path, StrictMap, did_you_mean, refuse
from rescore.yaml_messages import described

SAMPLE = "`{type: page_view, at: 2026-10-18}`"
REQUIRED = ("type", "at")
TEXT_FIELDS = ("asset", "channel")
OURS = ("lead", "lead_id", "source", "activity_id", "occurred_at", "known_at")


def _moment(text: str) -> str:
    if not is_moment(text):
        message = f"`{{name}}` cannot be {described(text)}; write `2026-11-01` or `2026-11-01T12:00:00Z`"
        raise PydanticCustomError("rescore", "{message}", {"message": message})
    return text


Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "description": "2026-11-01, or with a time."}),
]


def _scalar(field: str, value: Any) -> str | None:
    if isinstance(value, dict | list):
        return f"`{field}` takes one value, not {described(value)}; write it plainly"
    if not FIELD.fullmatch(field):
        return f"`{field[:60]}` cannot be the name of a field; use letters, digits, `_`, `-`, `.` and spaces"
    return None


def _attributes(value: Any) -> dict[str, Scalar]:
    if not isinstance(value, dict):
        message = f"`lead` must be a map of attributes, not {described(value)}; write `key: value` lines"
        refuse([((), message)])
    refuse(((field,), trouble) for field, item in value.items() if (trouble := _scalar(field, item)))
    return {field: item for field, item in value.items() if item is not None}


def _activity(value: Any) -> dict[str, Scalar]:
    if not isinstance(value, dict):
        refuse([((), f"an activity is a map, not {described(value)}; write {SAMPLE}")])
    problems: list[tuple[Path, str]] = [
        ((), f"`{key}` is missing; write {SAMPLE}") for key in REQUIRED if key not in value
    ]
    for field, item in value.items():
        if trouble := _scalar(field, item) or _trouble_with(field, item):
            problems.append(((field,), trouble))
    refuse(problems)
    return {field: item for field, item in value.items() if item is not None}


def _trouble_with(field: str, value: Any) -> str | None:
    if field == "at" and not (isinstance(value, str) and is_moment(value)):
        return f"`at` cannot be {described(value)}; write `2026-11-01` or `2026-11-01T12:00:00Z`"
    if field == "type" and not (isinstance(value, str) and value):
        return f"`type` must be text, not {described(value)}; write an activity type"
    if field in TEXT_FIELDS and not isinstance(value, str | None):
        return f"`{field}` must be text, not {described(value)}; put it in quotes"
    if field == "value" and value is not None and not is_number(value):
        return f"`value` must be a number, not {described(value)}; write it without quotes"
    if field in OURS:
        return f"`{field}` is made up for examples; take it out"
    return None


def _expected(value: Any, info: ValidationInfo) -> dict[str, Scalar | None]:
    names: Names = info.context or Names()
    if not isinstance(value, dict) or not value:
        refuse([((), "`expect` needs at least one number; write `expect: {score: 3}`")])
    refuse(_problems_with(value, names))
    return {key: Decimal(item) if key in names.rules else item for key, item in value.items()}


def _problems_with(expect: dict[str, Any], names: Names) -> list[tuple[Path, str]]:
    problems: list[tuple[Path, str]] = []
    known = ("score", "band", *names.dimensions, *names.rules)
    for key, value in expect.items():
        if key not in known:
            if names.dimensions and names.rules:
                problems.append(((key,), f"`{key}` is no rule or dimension; {did_you_mean(key, known)}"))
        elif key == "band":
            if value is not None and value not in names.bands:
                problems.append(
                    ((key,), f"there is no band {described(value)}; {did_you_mean(str(value), names.bands)}")
                )
        elif key == "score" and value is None:
            continue
        elif key in names.rules:
            if isinstance(trouble := thousandths_of(value), str):
                problems.append(((key,), trouble))
        elif isinstance(value, bool) or not isinstance(value, int):
            problems.append(
                ((key,), f"`{key}` is a whole number of points, not {described(value)}; round it")
            )
    return problems


Attributes = Annotated[
    dict[str, Scalar],
    PlainValidator(_attributes),
    WithJsonSchema({"type": "object", "description": "The lead's attributes."}),
]
Activity = Annotated[
    dict[str, Scalar],
    PlainValidator(_activity),
    WithJsonSchema({"type": "object", "required": list(REQUIRED), "description": "Type, time, any fields."}),
]
Expected = Annotated[
    dict[str, Scalar | None],
    PlainValidator(_expected),
    WithJsonSchema({"type": "object", "minProperties": 1, "description": "Any of score, band, ids."}),
]


class ExampleFile(StrictMap):
    """These activities and attributes give these numbers."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    as_of: Moment
    lead: Attributes = Field(default_factory=dict)
    activities: list[Activity] = Field(default_factory=list)
    expect: Expected
