"""The mapping of a Salesforce organisation: which of its objects and fields mean what."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints, field_validator, model_validator

from rescore.mapping import Attribute, Leads, Mapping, MappingPart, Name, Property
from rescore.strict.model import refuse

FieldPath = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,4}$", max_length=200),
]
"""A field of an object, or of one that it refers to: `Title`, `Account.Industry`."""

PersonKind = Literal["Lead", "Contact"]
PREFIXES: dict[str, PersonKind] = {"00Q": "Lead", "003": "Contact"}
"""How the ids of each kind of person begin, in every organisation."""


class SalesforceAttribute(Attribute):
    """One lead attribute: `property` on leads and contacts alike, or `lead` and `contact` where they differ.

    A kind of person for which none is named has no value.
    """

    property: FieldPath = ""
    lead: FieldPath | None = None
    contact: FieldPath | None = None

    def field(self, kind: PersonKind) -> str | None:
        """Where this attribute is on that kind of person."""
        return (self.lead if kind == "Lead" else self.contact) or self.property or None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if not (self.property or self.lead or self.contact):
            refuse("an attribute needs `property`, or `lead` and `contact`; name a field of Salesforce's")
        return self


class SalesforceLeads(Leads):
    """Which people are read: leads, contacts or both, in one stream.

    `objection` is a checkbox that both kinds have, such as `Individual.HasOptedOutProfiling`.
    """

    kinds: tuple[PersonKind, ...] = ("Lead", "Contact")
    attributes: dict[Name, SalesforceAttribute]  # type: ignore[assignment]  # narrower, and never written
    objection: FieldPath | None = None

    @property
    def read_properties(self) -> set[str]:
        """Every field that facts are made of."""
        return {name for kind in self.kinds for name in self.fields(kind)}

    def fields(self, kind: PersonKind) -> list[str]:
        """What facts about that kind of person are made of."""
        found = [field for one in self.attributes.values() if (field := one.field(kind))]
        return sorted({*found, *([self.objection] if self.objection else [])})


class TypeByField(MappingPart):
    """An activity type that depends on a field: its value picks from `values`, else `otherwise`.

    A checkbox is `true` or `false`. Without `otherwise` a value that is not listed is set aside.
    """

    property: FieldPath
    values: dict[str, Name]
    otherwise: Name | None = None


class Parent(MappingPart):
    """What these records hang on, and whose changes are news of theirs: `by` is the field with its id."""

    object: Property
    by: Property


class Records(MappingPart):
    """Records of one object that say what somebody did: tasks, events, campaign members, roles.

    `who` lists the fields that may hold the id of a lead or contact, and `at` those that may hold the
    moment; the first that is filled wins. A date without a time of day is noon in the organisation's zone.
    `only` names checkboxes that have to be ticked. Records in which the field `ours` is filled were made by
    an automation: they are set aside, or scores would feed on themselves.
    """

    object: Property
    who: tuple[FieldPath, ...]
    type: Name | TypeByField
    at: tuple[FieldPath, ...]
    only: tuple[FieldPath, ...] = ()
    parent: Parent | None = None
    asset: FieldPath | None = None
    channel: str | None = None
    value: FieldPath | None = None
    ours: Property | None = None
    fields: dict[Name, FieldPath] = Field(default_factory=dict)

    @property
    def read(self) -> list[str]:
        """Every field that is read."""
        single = [self.asset, self.value, self.ours]
        if isinstance(self.type, TypeByField):
            single.append(self.type.property)
        return sorted({*self.who, *self.at, *self.fields.values(), *(name for name in single if name)})


class Tasks(MappingPart):
    """The two custom fields of tasks that say which delivery made one."""

    delivery: Property
    automation: Property


class SalesforceMapping(Mapping):
    """A Salesforce organisation's mapping.

    `zone` is the organisation's default time zone. Automations make tasks where `tasks` says how.
    """

    connector: Literal["salesforce"]
    zone: str = "UTC"
    leads: SalesforceLeads
    activities: dict[Name, Records]
    tasks: Tasks | None = None

    @property
    def makes_tasks(self) -> bool:
        """Whether automations can make tasks there."""
        return self.tasks is not None

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            return ZoneInfo(zone).key
        except (ValueError, OSError, ZoneInfoNotFoundError):
            refuse(f"`{zone}` is no time zone; one is Europe/Berlin")
