"""What an automation's `do` may list, and what each action has to say."""

import re
from collections import Counter
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from rescore.mapping import Name as MappingName
from rescore.mapping import Property
from rescore.messages import ADDRESS, CONTROL, VARIABLES, names_in, wrong_places
from rescore.rules.actions import LEAD_OWNER
from rescore.rules.names import Names
from rescore.rules.values import DURATION_SCHEMA, days_of, is_number
from rescore.strict.messages import described
from rescore.strict.model import StrictMap, Trouble, refuse, refuse_all

STAGE: Final = re.compile(r"stage|status|phase", re.IGNORECASE)
"""Properties of such a name say how far a lead is: none may be set back, so their present value is asked."""

DATE: Final = re.compile(r"(^|_)date(_|$)|(^|_)(at|on)$|(create|close|start|end)date$", re.IGNORECASE)
"""Properties of such a name hold the day when something happened first."""

DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?")
"""Values that are such a day, whatever the property is called."""

_PLACE: Final = rf"\{{(?:{'|'.join(VARIABLES)})\}}"
TEMPLATE: Final = rf"^(?:[^{{}}]|{_PLACE})*$"
ONE_LINE: Final = rf"^(?:[^{{}}\r\n]|{_PLACE})*$"
"""What a template looks like, for editors."""

MAX_TITLE: Final = 200
MAX_MESSAGE: Final = 3000
MAX_FIELDS: Final = 20


def _template(text: str, info: ValidationInfo) -> str:
    troubles = list(wrong_places(text))
    house = (info.context or Names()).house
    if "lead_url" in names_in(text) and house is not None and not house.lead_urls:
        troubles.append(
            "nobody said where `{lead_url}` is; add `lead_urls` to the policy file, or leave it out"
        )
    refuse_all(Trouble((), message) for message in troubles)
    return text


def _one_line(text: str) -> str:
    if CONTROL.search(text):
        refuse("`{name}` takes one line; take the line break out")
    return text


Connection = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$", description="The id of an Airflow Connection that opted in."),
]
Target = Annotated[MappingName, Field(description="The CRM: the name of its mapping.")]
Title = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TITLE, json_schema_extra={"pattern": ONE_LINE}),
    AfterValidator(_one_line),
    AfterValidator(_template),
]
Message = Annotated[
    str,
    Field(min_length=1, max_length=MAX_MESSAGE, json_schema_extra={"pattern": TEMPLATE}),
    AfterValidator(_template),
]


def _from_today(value: Any) -> int:
    days = days_of(value, at_least=0)
    if isinstance(days, str):
        refuse(days)
    return days


def _written(value: Any) -> str:
    """How a CRM takes it: flags as `true`, numbers as their digits."""
    if isinstance(value, bool):
        return str(value).lower()
    if is_number(value):
        return format(Decimal(value), "f")
    if not isinstance(value, str):
        refuse(f"`{{name}}` takes a text, a number or a flag, not {described(value)}; write one value")
    if not value or len(value) > MAX_TITLE:
        refuse(f"`{{name}}` takes 1 to {MAX_TITLE} characters; to empty a property is not possible")
    return _one_line(value)


_PLAIN_SCHEMA: Final[dict[str, Any]] = {"type": ["string", "number", "boolean"], "minLength": 1}
Plain = Annotated[str, PlainValidator(_written), WithJsonSchema(_PLAIN_SCHEMA)]
Value = Annotated[
    str,
    PlainValidator(_written),
    AfterValidator(_template),
    WithJsonSchema(_PLAIN_SCHEMA | {"maxLength": MAX_TITLE, "pattern": ONE_LINE}),
]


class WebhookFile(StrictMap):
    """Post the crossing to an address."""

    misplaced: ClassVar = {
        "url": "`url` does not go into a rules file; name an Airflow Connection: `connection: id`"
    }

    connection: Connection


class CrmTaskFile(StrictMap):
    """A task in the CRM for the lead."""

    target: Target
    title: Title
    due: Annotated[int, PlainValidator(_from_today), WithJsonSchema(DURATION_SCHEMA)] = Field(
        1, description="Days after the crossing.", json_schema_extra={"default": "1d"}
    )
    owner: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        LEAD_OWNER, description="`lead_owner`, or the id of a user of the CRM."
    )
    skip_if_open: bool = Field(True, description="No second task while one of this automation is open.")


class SetFieldFile(StrictMap):
    """The value that a property gets, and where."""

    value: Value
    only_from: list[Plain] | None = Field(
        None,
        min_length=1,
        max_length=50,
        description="Only where its present value is one of these.",
        json_schema_extra={"uniqueItems": True},
    )
    if_empty: bool = Field(
        False, description="Only where it has no value, or beside `only_from` there as well."
    )

    @field_validator("only_from")
    @classmethod
    def _each_once(cls, values: list[str] | None) -> list[str] | None:
        twice = next((value for value, times in Counter(values or ()).items() if times > 1), None)
        if twice is not None:
            refuse(f"`only_from` lists {described(twice)} twice; keep one")
        return values


class CrmFieldsFile(StrictMap):
    """Properties of the lead in the CRM."""

    target: Target
    set: dict[Property, SetFieldFile] = Field(
        min_length=1, max_length=MAX_FIELDS, json_schema_extra={"additionalProperties": False}
    )

    @field_validator("set")
    @classmethod
    def _guarded(cls, fields: dict[str, SetFieldFile]) -> dict[str, SetFieldFile]:
        troubles = []
        for name, field in fields.items():
            dated = DAY.fullmatch(field.value) or "as_of" in names_in(field.value)
            is_date = dated or DATE.search(name)
            if STAGE.search(name) and not is_date and not field.only_from:
                message = (
                    f"`{name}` says how far a lead is, and must never be set back; name the values it may "
                    "replace: `only_from: [...]`"
                )
                troubles.append(Trouble((name,), message))
            elif is_date and not field.if_empty:
                message = f"`{name}` is a date, and only its first is kept; write `if_empty: true`"
                troubles.append(Trouble((name,), message))
            if field.only_from and field.value in field.only_from:
                message = f"`{name}` is written over itself; take `{field.value}` out of `only_from`"
                troubles.append(Trouble((name, "only_from"), message))
        refuse_all(troubles)
        return fields


class SlackFile(StrictMap):
    """A message through Slack."""

    misplaced: ClassVar = {"channel": "`channel` belongs to the Slack Connection; name that one"}

    connection: Connection
    text: Message


class EmailFile(StrictMap):
    """A plain-text e-mail to colleagues."""

    misplaced: ClassVar = {
        word: f"`{word}` is not possible: an e-mail goes to colleagues; list them below `to`"
        for word in ("cc", "bcc")
    }

    connection: Connection
    to: list[Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{ADDRESS.pattern}$"})]] = Field(
        min_length=1, max_length=MAX_FIELDS, json_schema_extra={"uniqueItems": True}
    )
    subject: Title
    text: Message

    @field_validator("to")
    @classmethod
    def _to_colleagues(cls, to: list[str], info: ValidationInfo) -> list[str]:
        house = (info.context or Names()).house
        refuse_all(
            Trouble((index,), message)
            for index, address in enumerate(to)
            if (message := _about_address(address, {one.lower() for one in to[:index]}))
        )
        refuse_all(
            Trouble(
                (index,),
                f"`{address}` is not internal; name its domain in the policy file's "
                "`internal_domains`, or write to somebody else",
            )
            for index, address in enumerate(to)
            if house is not None and not house.is_internal(address)
        )
        return to


def _about_address(address: str, before: set[str]) -> str | None:
    if not ADDRESS.fullmatch(address):
        return f"{described(address)} is not a plain e-mail address; write one such as `sales@example.com`"
    if address.lower() in before:
        return f"`{address}` is already in the list; keep one of them"
    return None


class ActionFile(StrictMap):
    """One thing to do at a crossing."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    misplaced: ClassVar = {
        "crm_field": "`crm_field` is not a key; write `crm_fields: {target: ..., set: {...}}`"
    }

    webhook: WebhookFile | None = None
    crm_task: CrmTaskFile | None = None
    crm_fields: CrmFieldsFile | None = None
    slack: SlackFile | None = None
    email: EmailFile | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        said = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if not said:
            refuse("this action says nothing; write one such as `{webhook: {connection: id}}`")
        if len(said) > 1:
            refuse(f"`{said[1]}` is a second action; begin another item of the list with it", said[1])
        return self
