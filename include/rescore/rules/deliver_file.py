"""When an automation's deliveries may go out, and for whom only once, as people write it."""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from rescore.rules.actions import OnceKey
from rescore.rules.lists import no_domain
from rescore.rules.names import Name, Names
from rescore.rules.values import DURATION_SCHEMA, Days, is_number
from rescore.rules.zones import Zone
from rescore.strict.messages import described
from rescore.strict.model import StrictMap, did_you_mean, refuse

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_HOURS: Final = 24 * 366

SPAN: Final = re.compile(r"([0-9]{1,4})([hd])")
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
HOURS: Final = re.compile(rf"({_TIME})\s?-\s?({_TIME}|24:00)")


def _span(value: Any) -> int:
    """Hours of `48h` or `2d`."""
    if is_number(value):
        refuse(f"`{{name}}` has no unit; write `{{name}}: {value}h`")
    found = SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        refuse(f"`{{name}}` takes hours or days, not {described(value)}; write `48h` or `2d`")
    hours = int(found[1]) * (24 if found[2] == "d" else 1)
    if not 1 <= hours <= MAX_HOURS:
        refuse(f"`{{name}}` is {hours} hours; write 1 to {MAX_HOURS}")
    return hours


def _hours(value: Any) -> tuple[int, int]:
    """First and last minute of the day, of `08:00-18:00`."""
    found = HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        refuse(f'`{{name}}` takes two times of day, not {described(value)}; write `"08:00-18:00"`')
    begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in found.groups())
    if begin >= end:
        refuse(f"`{value}` ends before it begins; write the earlier time first, within one day")
    return begin, end


class DeliverFile(StrictMap):
    """When what an automation sets off may be sent."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    hours: (
        Annotated[
            tuple[int, int],
            PlainValidator(_hours),
            WithJsonSchema({"type": "string", "pattern": f"^{HOURS.pattern}$"}),
        ]
        | None
    ) = Field(None, description="Times of day; outside them it waits.")
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None = Field(
        None,
        min_length=1,
        description="Days of the week; on others it waits.",
        json_schema_extra={"uniqueItems": True},
    )
    timezone: Zone | None = Field(None, description="Of hours and days; the scorecard's when left out.")
    expires: (
        Annotated[
            int, PlainValidator(_span), WithJsonSchema({"type": "string", "pattern": f"^{SPAN.pattern}$"})
        ]
        | None
    ) = Field(None, description="How long after the crossing it may still be sent: 48h, 2d.")
    still_true: bool = Field(False, description="Whether it is only sent while `fire_when` still holds.")

    @field_validator("days")
    @classmethod
    def _each_once(cls, days: list[str] | None) -> list[str] | None:
        if days is not None and len(set(days)) < len(days):
            refuse("a day stands twice in `days`; keep one of them")
        return days

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            refuse("`deliver` is empty; write a key such as `expires: 48h`, or take it out")
        if self.timezone and not (self.hours or self.days):
            refuse("`timezone` has no hours or days to be about; write `hours`, or take it out", "timezone")
        return self


class OncePerFile(StrictMap):
    """Of several leads of one account only the first fires."""

    key: OnceKey
    within: Days = Field(30, description="For so many days; 30 when left out.")
    unless_in: Name | None = Field(
        None, description="Only with `email_domain`: a list of domains at which each lead stands for itself."
    )

    @field_validator("unless_in")
    @classmethod
    def _is_a_list_of_domains(cls, name: str | None, info: ValidationInfo) -> str | None:
        lists = (info.context or Names()).lists
        if name is None:
            return None
        if name not in lists:
            declare = f"declare it: `lists: {{{name}: lists/{name}.txt}}`"
            refuse(f"there is no list `{name}`; {did_you_mean(name, lists) if lists else declare}")
        if value := no_domain(lists[name]):
            refuse(f"the list `{name}` has {described(value)}, not a domain; write one such as `example.com`")
        return name

    @model_validator(mode="after")
    def _only_domains_are_listed(self) -> Self:
        if self.unless_in is not None and self.key != "email_domain":
            refuse("`unless_in` is about domains; write `key: email_domain`, or take it out", "unless_in")
        return self


def _long_form(value: Any) -> Any:
    """`account` is short for `{key: account}`."""
    return {"key": value} if isinstance(value, str) else value


OncePer = Annotated[
    OncePerFile,
    BeforeValidator(_long_form),
    WithJsonSchema(
        {
            "description": "Of several leads of one account only the first fires.",
            "anyOf": [
                {"enum": ["account", "email_domain"]},
                {
                    "type": "object",
                    "properties": {
                        "key": {"enum": ["account", "email_domain"]},
                        "within": DURATION_SCHEMA,
                        "unless_in": {"type": "string"},
                    },
                    "required": ["key"],
                    "additionalProperties": False,
                },
            ],
        }
    ),
]
