"""The mapping of a Tryton database: which fields of a lead and of its party mean what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rescore.mapping import Leads, Mapping, MappingPart, Name, PathSamePerson, PropertyPath


class TrytonLeads(Leads):
    """Which fields of `sale.opportunity` are attributes.

    A property may be a path through other records, such as `party.addresses.city`; of several records the
    first one with a value counts. With `deleted` all ids are listed once an hour, and those that are missing
    since are told as deleted.
    """

    objection: PropertyPath | None = None
    same_person: PathSamePerson = Field(default_factory=PathSamePerson)
    deleted: bool = True


class Notes(MappingPart):
    """Notes that people leave at a lead; `type` is the activity's. Their text stays in Tryton."""

    kind: Literal["notes"]
    type: Name


class Emails(MappingPart):
    """E-mails sent from a lead; the asset is the subject."""

    kind: Literal["emails"]
    type: Name
    channel: str | None = "email"


class Campaigns(MappingPart):
    """Opens and clicks of the e-mails of marketing automation, each at the moment of its access.

    Of a party with several leads each gets the activity; one without waits by its e-mail address.
    """

    kind: Literal["campaigns"]
    opened: Name = "email_open"
    clicked: Name = "email_click"
    channel: str | None = "email"


Stream = Annotated[Notes | Emails | Campaigns, Field(discriminator="kind")]


class TrytonMapping(Mapping):
    """A Tryton database's mapping.

    With `tasks: notes` automations may leave notes at leads.
    """

    connector: Literal["tryton"]
    leads: TrytonLeads
    activities: dict[Name, Stream]
    tasks: Literal["notes"] | None = None

    @property
    def makes_tasks(self) -> bool:
        """Whether automations can make tasks there."""
        return self.tasks is not None
