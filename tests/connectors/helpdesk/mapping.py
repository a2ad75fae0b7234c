"""What a help desk's mapping says beside what every mapping does."""

from typing import Literal

from pydantic import Field

from rescore.mapping import Mapping, MappingPart, Name, Path, Property


class Tickets(MappingPart):
    """Where tickets are read: each is an activity of this type; `fields` are further texts of it."""

    path: Path
    type: Name
    fields: dict[Name, Property] = Field(default_factory=dict)


class HelpdeskMapping(Mapping):
    """A help desk's mapping."""

    connector: Literal["helpdesk"]
    customers: Path
    tickets: Tickets
