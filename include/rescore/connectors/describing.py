"""What a CRM offers beside what a mapping uses of it, and how much there is to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from rescore.connectors.pace import Rates
from rescore.mapping import Attribute, Leads, SamePerson
from rescore.mapping import Mapping as MappingFile

Holds = Literal["text", "number", "flag", "date", "timestamp", "choice", "choices", "other"]
"""What a field holds: `choice` is one value of a list, `choices` are several."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One field; `kind` is the source's own word for its type, empty like `label` where it has none.

    `read_only` ones cannot be written by anybody.
    """

    name: str
    label: str
    holds: Holds
    kind: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """What a mapping does with a field.

    `place` is where the mapping says so. `attribute` is there where one is read from it; `written` says what
    we put there.
    """

    field: str
    place: str
    attribute: Attribute | None = None
    written: Literal["number", "text", "timestamp"] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of record or of activity, all its fields, and those that the mapping uses.

    `offered` is None where the CRM does not list them to us; `note` then says why.
    """

    what: str
    offered: Sequence[Offered] | None
    uses: Sequence[Use] = ()
    note: str = ""

    def used(self) -> dict[str, list[Use]]:
        """The uses of each field."""
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            found.setdefault(use.field, []).append(use)
        return found


@dataclass(frozen=True, slots=True)
class Volume:
    """How many records of a stream there are, and the calls to read them, by the names of allowances.

    None where the CRM does not tell.
    """

    stream: str
    rows: int | None
    calls: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class Describable(Protocol):
    """A source that tells what there is, in a few cheap calls."""

    def describe(self) -> Iterator[Listing]:
        """Every kind of record that the mapping could use, with the fields it has now.

        Raises:
            CrmRejectedCredentials, CrmRateLimited, CrmUnavailable: As for every connector.
        """
        ...


@runtime_checkable
class Measurable(Protocol):
    """A source that tells how much there is to read, and how fast it may be asked."""

    rates: Rates

    def volumes(self, *, since: datetime | None) -> Iterator[Volume]:
        """How much a first load reads of each stream; `since` is where the mapping's `history` begins.

        Raises:
            As `Describable.describe`.
        """
        ...


@runtime_checkable
class CanBeChecked(Protocol):
    """A source that can tell at once whether its rights and the fields of its mapping are there."""

    def check(self) -> str | None:
        """Ask for all of them; what it says is how far it looked, where that is not everywhere.

        Raises:
            CrmRejectedCredentials: The login is refused, or lacks a right.
            CrmFieldMissing: Naming the fields and the way out.
        """
        ...


def uses_of_attributes(attributes: Mapping[str, Attribute], place: str) -> list[Use]:
    """What is read as attributes of leads or accounts."""
    return [
        Use(attribute.property, f"{place}.{name}", attribute=attribute)
        for name, attribute in attributes.items()
    ]


def uses_of_leads(leads: Leads) -> list[Use]:
    """What is read of leads."""
    uses = uses_of_attributes(leads.attributes, "leads.attributes") + uses_of_same_person(leads.same_person)
    return uses + ([Use(leads.objection, "leads.objection")] if leads.objection else [])


def uses_of_same_person(same_person: SamePerson) -> list[Use]:
    """Where the ids of a person's other records are."""
    return [
        Use(name, f"leads.same_person.records.{source}")
        for source, names in same_person.records.items()
        for name in names
    ]


def uses_of_targets(mapping: MappingFile) -> list[Use]:
    """What is written to leads: scores, and what automations may set."""
    uses = []
    for scorecard, fields in mapping.scores.items():
        for place, name in fields.places().items():
            kind: Literal["number", "text", "timestamp"] = "text"
            if place[0] in ("score", "dimensions", "rules_version"):
                kind = "number"
            elif place[0] == "changed_at":
                kind = "timestamp"
            uses.append(Use(name, ".".join(("scores", scorecard, *place)), written=kind))
    return uses + [Use(name, f"settable.{name}", written="text") for name in mapping.settable]
