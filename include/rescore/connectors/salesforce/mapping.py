"""The mapping of a Salesforce organisation: which of its objects and fields mean what."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from rescore.mapping import (
    FREE_NAMES,
    Attribute,
    Leads,
    Mapping,
    MappingPart,
    Name,
    PathSamePerson,
    Property,
    PropertyPath,
)
from rescore.strict.model import refuse

PersonKind = Literal["Lead", "Contact"]
PREFIXES: dict[str, PersonKind] = {"00Q": "Lead", "003": "Contact"}
"""How the ids of each kind of person begin, in every organisation."""

RELATED = {"Account": "AccountId", "Individual": "IndividualId"}
"""Objects that a person may refer to, and where: a change of theirs is not one of the person's record."""


SHORT_ID = re.compile("[A-Za-z0-9]{15}")
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def whole_id(short: str) -> str:
    """The 18 characters of an id of 15: each of the last three says which of five are capital letters."""
    fives = (short[start : start + 5] for start in (0, 5, 10))
    places = (sum(1 << place for place, one in enumerate(five) if one.isupper()) for five in fives)
    return short + "".join(CAPITALS[place] for place in places)


class SalesforceAttribute(Attribute):
    """One lead attribute: `property` on leads and contacts alike, or `lead` and `contact` where they differ.

    A kind of person for which none is named has no value.
    """

    property: PropertyPath = ""
    lead: PropertyPath | None = None
    contact: PropertyPath | None = None

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

    `objection` is a checkbox that both kinds have, such as `Individual.HasOptedOutProfiling`; both have the
    fields of `same_person`, too. When an account
    or an individual changes whose fields are read, its people are read again; other objects behind a dot
    (`Owner.Name`) are seen as they are when the person changes.
    """

    kinds: tuple[PersonKind, ...] = ("Lead", "Contact")
    attributes: MappingOf[Name, SalesforceAttribute]
    objection: PropertyPath | None = None
    same_person: PathSamePerson = Field(default_factory=PathSamePerson)

    @property
    def read_properties(self) -> set[str]:
        """Every field that facts are made of."""
        return {name for kind in self.kinds for name in self.fields(kind)}

    def fields(self, kind: PersonKind) -> list[str]:
        """What facts about that kind of person are made of."""
        found = [field for one in self.attributes.values() if (field := one.field(kind))]
        return sorted({*found, *self.same_person.properties, *([self.objection] if self.objection else [])})

    def attributes_of(self, kind: PersonKind) -> dict[str, Attribute]:
        """The attributes, each where that kind of person has it."""
        return {
            name: one.model_copy(update={"property": one.field(kind) or ""})
            for name, one in self.attributes.items()
        }

    def related(self, kind: PersonKind) -> dict[str, str]:
        """The objects whose fields are read through that kind of person, and where it refers to them."""
        first = {path.partition(".")[0] for path in self.fields(kind) if "." in path}
        return {entity: by for entity, by in RELATED.items() if entity in first}


class TypeByField(MappingPart):
    """An activity type that depends on a field: its value picks from `values`, else `otherwise`.

    A checkbox is `true` or `false`. Without `otherwise` a value that is not listed is set aside.
    """

    property: PropertyPath
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
    `only` names checkboxes that have to be ticked, `never` those that must not. Records in which the field
    `ours` is filled were made by an automation: they are set aside, or scores would feed on themselves.
    """

    object: Property
    who: tuple[PropertyPath, ...]
    type: Name | TypeByField
    at: tuple[PropertyPath, ...]
    only: tuple[PropertyPath, ...] = ()
    never: tuple[PropertyPath, ...] = ()
    parent: Parent | None = None
    asset: PropertyPath | None = None
    channel: str | None = None
    value: PropertyPath | None = None
    ours: Property | None = None
    fields: Annotated[dict[Name, PropertyPath], FREE_NAMES] = Field(default_factory=dict)

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

    def id_of(self, written: str) -> str:
        """Reports and exports of Salesforce leave out the last three characters of an id."""
        return whole_id(written) if SHORT_ID.fullmatch(written) else written

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            return ZoneInfo(zone).key
        except (ValueError, OSError, ZoneInfoNotFoundError):
            refuse(f"`{zone}` is no time zone; one is Europe/Berlin")
