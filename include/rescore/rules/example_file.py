"""The worked examples at the end of a rules file, as written."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema, model_validator

from rescore.rules.card import Scalar
from rescore.rules.conditions import LABELS
from rescore.rules.moments import is_moment
from rescore.rules.names import FIELD, Names
from rescore.rules.values import is_number, thousandths_of
from rescore.strict.messages import described
from rescore.strict.model import StrictMap, Trouble, did_you_mean, refuse, refuse_all

SAMPLE = "`{type: page_view, at: 2026-10-18}`"
REQUIRED = ("type", "at")
TEXT_FIELDS = ("asset", "channel")
OURS = ("lead", "lead_id", "source", "activity_id", "occurred_at", "known_at")


def _moment(text: str) -> str:
    if not is_moment(text):
        refuse(f"`{{name}}` cannot be {described(text)}; write `2026-11-01` or `2026-11-01T12:00:00Z`")
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
        refuse(f"`lead` must be a map of attributes, not {described(value)}; write `key: value` lines")
    refuse_all(Trouble((field,), said) for field, item in value.items() if (said := _scalar(field, item)))
    return {field: item for field, item in value.items() if item is not None}


def _activity(value: Any) -> dict[str, Scalar]:
    if not isinstance(value, dict):
        refuse(f"an activity is a map, not {described(value)}; write {SAMPLE}")
    troubles = [Trouble((), f"`{key}` is missing; write {SAMPLE}") for key in REQUIRED if key not in value]
    for field, item in value.items():
        if said := _scalar(field, item) or _trouble_with(field, item):
            troubles.append(Trouble((field,), said))
    refuse_all(troubles)
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
        refuse("`expect` needs at least one number; write `expect: {score: 3}`")
    known = ("score", "band", "grade", *names.dimensions, *names.rules)
    troubles = []
    for key, item in value.items():
        if key not in known and names.dimensions:
            hint = did_you_mean(key, known)
            troubles.append(Trouble((key,), f"`{key}` is no rule or dimension; {hint}", at_key=True))
        elif said := _trouble_with_expected(key, item, names):
            troubles.append(Trouble((key,), said))
    refuse_all(troubles)
    return {key: _expected_as(key, item, names) for key, item in value.items()}


def _expected_as(key: str, value: Any, names: Names) -> Any:
    if key in LABELS:
        return value if value is None else str(value)  # a label may be written as a number
    return Decimal(value) if key in names.rules else value


def _trouble_with_expected(key: str, value: Any, names: Names) -> str | None:
    if key in LABELS:
        labels = names.bands if key == "band" else names.grades
        if value is None or str(value) in labels:
            return None
        return f"there is no {key} {described(value)}; {did_you_mean(str(value), labels)}"
    if key in names.rules:
        return said if isinstance(said := thousandths_of(value), str) else None
    if value is None or (is_number(value) and value == int(value)):
        return None
    return f"`{key}` is a whole number of points, not {described(value)}; round it"


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
    WithJsonSchema({"type": "object", "minProperties": 1, "description": "Any of score, band, grade, ids."}),
]


class ColleagueFile(StrictMap):
    """What another lead of the same account did."""

    activities: list[Activity] = Field(default_factory=list)


class ExampleFile(StrictMap):
    """These activities and attributes give these numbers."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    as_of: Moment
    lead: Attributes = Field(default_factory=dict)
    activities: list[Activity] = Field(default_factory=list)
    colleagues: list[ColleagueFile] = Field(
        default_factory=list, description="Other leads of the same account."
    )
    expect: Expected

    @model_validator(mode="after")
    def _colleagues_have_an_account(self) -> Self:
        if self.colleagues and self.lead.get("account") in (None, ""):
            refuse(
                "`colleagues` are leads of the same account; write one into `lead`, such as `account: acme`",
                "colleagues",
            )
        return self
