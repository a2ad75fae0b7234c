"""Which columns of a table mean what; how the table is found is said by the mapping of its connector."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from rescore.mapping import FREE_NAMES, Attribute, Leads, Mapping, MappingPart, Mode, Name, SamePerson
from rescore.strict.model import Formed, Trouble, refuse_all

Column = Annotated[
    str,
    StringConstraints(max_length=128),
    Formed(r"[^\x00-\x1f\"`]+", "the column's name as the table has it, without quotation marks"),
]
"""The name of a column as its table has it; it is looked up among the table's and quoted, never pasted."""


class ColumnAttribute(Attribute):
    """One lead attribute: the column it is read from, and how."""

    property: Column


class ColumnSamePerson(SamePerson):
    """The columns with the ids of other sources' records."""

    records: MappingOf[Name, tuple[Column, ...]] = Field(default_factory=dict)


class LeadColumns(Leads):
    """The columns of leads; every other one is left alone.

    `deleted` says that the lead is gone, by a flag or by the time of its deletion. `email` is the column by
    whose address leads are known to be one person with other sources' records; it is not kept.
    """

    id: Column
    attributes: MappingOf[Name, ColumnAttribute]
    objection: Column | None = None
    same_person: ColumnSamePerson = Field(default_factory=ColumnSamePerson)
    deleted: Column | None = None
    email: Column | None = None

    @model_validator(mode="after")
    def _there_is_an_address_to_match_by(self) -> Self:
        if self.same_person.email and self.email is None:
            problem = "`email` needs the column with the address: write `email: <column>` under `leads`"
            refuse_all([Trouble(("same_person", "email"), problem, at_key=True)])
        return self

    @property
    def columns(self) -> list[str]:
        """Every column that is read, each once."""
        named = [attribute.property for attribute in self.attributes.values()]
        single = [self.id, self.objection, self.deleted, self.email, *self.same_person.properties]
        return list(dict.fromkeys(name for name in [*single, *named] if name))


class TextInColumn(MappingPart):
    """A column that says it, row by row; `values` puts our words for the table's, all others stay.

    With `otherwise` a value that is not listed becomes that one.
    """

    property: Column
    values: dict[str, Name] = Field(default_factory=dict)
    otherwise: Name | None = None


def _form(value: Any) -> str:
    return "[column]" if isinstance(value, dict | TextInColumn) else "[word]"


Said = Annotated[
    Annotated[Name, Tag("[word]")] | Annotated[TextInColumn, Tag("[column]")], Discriminator(_form)
]
"""Once for the whole table, or by a column."""


class ActivityColumns(MappingPart):
    """The columns of activities.

    `type` and `channel` are said once for the whole table, or by a column: `type: {property: kind}`.
    """

    id: Column
    lead: Column
    type: Said
    occurred_at: Column
    asset: Column | None = None
    channel: Said | None = None
    value: Column | None = None
    fields: Annotated[dict[Name, Column], FREE_NAMES] = Field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Every column that is read, each once."""
        said = [one.property for one in (self.type, self.channel) if isinstance(one, TextInColumn)]
        single = [self.id, self.lead, self.occurred_at, self.asset, self.value]
        return list(dict.fromkeys(name for name in [*single, *said, *self.fields.values()] if name))


class TabularMapping(Mapping):
    """The mapping of a source that is only read: no scores, no tasks, no fields to set.

    Its streams are `leads` and its `activities`, each under its own name.
    """

    mode: Mode = "live"
    activities: MappingOf[Name, ActivityColumns] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_stream_has_its_name(self) -> Self:
        if "leads" in self.activities:
            problem = "`leads` is the stream of the leads themselves; give these activities another name"
            refuse_all([Trouble(("activities", "leads"), problem, at_key=True)])
        return self

    @model_validator(mode="after")
    def _only_read(self) -> Self:
        refuse_all(
            Trouble(
                (key,), f"`{key}` cannot be here: tables are only read; write scores to a CRM", at_key=True
            )
            for key in ("scores", "settable")
            if getattr(self, key)
        )
        return self
