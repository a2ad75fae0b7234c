"""The mapping of a HubSpot account: which of its paths and properties mean what."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from rescore.mapping import FREE_NAMES, Accounts, Leads, Mapping, MappingPart, Name, Path, Property
from rescore.strict.model import refuse_all

SHIPPED: Final = "include/mappings/hubspot.yaml"


class Adjustments(MappingPart):
    """Where people give or take points by hand: each change of `points` is an activity `adjustment`.

    Its `value` are the points, its asset the `reason` that stood there then.
    """

    points: Property
    reason: Property | None = None

    @property
    def properties(self) -> tuple[str, ...]:
        """What is read."""
        return tuple(name for name in (self.points, self.reason) if name)


class HubSpotLeads(Leads):
    """Where leads are read from and written back to.

    `deleted` lists deleted ones; without it a deletion shows only when a write finds nobody. `listing` lists
    those there are, to find in turn what changed without moving `modified`.
    """

    search: Path
    read: Path
    update: Path
    properties: Path
    groups: Path
    modified: Property
    deleted: Path | None = None
    listing: Path | None = None
    adjustments: Adjustments | None = None

    @property
    def read_properties(self) -> set[str]:
        """Every property that facts are made of."""
        return super().read_properties | set(self.adjustments.properties if self.adjustments else ())


class HubSpotAccounts(Accounts):
    """Where companies are read from, as leads' accounts; `deleted` lists deleted ones."""

    search: Path
    properties: Path
    deleted: Path | None = None
    modified: Property = "hs_lastmodifieddate"


class TypeByProperty(MappingPart):
    """An activity type that depends on a property: its value picks from `values`, else `otherwise`.

    Without `otherwise` a value that is not listed is set aside.
    """

    property: Property
    values: dict[str, Name]
    otherwise: Name | None = None


class Tied(MappingPart):
    """Objects of one kind, tied to contacts by associations.

    `listing` lists them by id, to find in turn what was tied after it was last changed; without it that is
    found within three days of the change or not at all.
    """

    listed_in: ClassVar = SHIPPED

    search: Path
    associations: Path
    listing: Path | None = None
    modified: Property = "hs_lastmodifieddate"


class Engagements(Tied):
    """Objects a salesperson logs (calls, meetings, notes, tasks, e-mails), tied to contacts by associations.

    `at` lists the properties that may hold the moment it happened; the first that is filled wins.
    `fields` maps extra activity fields to properties; `translate` replaces a property's values
    (HubSpot's call outcomes are UUIDs). Objects in which the property `ours` is filled were made by an
    automation: they are set aside, or scores would feed on themselves.
    """

    kind: Literal["engagements"]
    type: Name | TypeByProperty
    at: tuple[Property, ...] = ("hs_timestamp",)
    asset: Property | None = None
    channel: str | None = None
    value: Property | None = None
    ours: Property | None = None
    fields: Annotated[dict[Name, Property], FREE_NAMES] = Field(default_factory=dict)
    translate: dict[Property, dict[str, str]] = Field(default_factory=dict)

    @property
    def read_properties(self) -> set[str]:
        """Every property that activities are made of."""
        single = (self.asset, self.value, self.ours)
        named = {*self.at, *self.fields.values(), *(name for name in single if name)}
        return named | ({self.type.property} if isinstance(self.type, TypeByProperty) else set())


class Deals(Tied):
    """Sales in the making: of each contact that a deal is about, that it was made, and how it stands.

    `created`, `open`, `won` and `lost` are the types of these activities. A deal has one activity that is
    `open` as of its making, and becomes `won` or `lost` as of its closing. `fields` and `translate` are as
    of engagements: the names of stages are an account's own.
    """

    kind: Literal["deals"]
    properties: Path
    created: Name = "opportunity_created"
    open: Name = "opportunity_open"
    won: Name = "opportunity_won"
    lost: Name = "opportunity_lost"
    created_at: Property = "createdate"
    closed_at: Property = "closedate"
    is_closed: Property = "hs_is_closed"
    is_won: Property = "hs_is_closed_won"
    asset: Property | None = None
    channel: str | None = None
    value: Property | None = None
    fields: Annotated[dict[Name, Property], FREE_NAMES] = Field(default_factory=dict)
    translate: dict[Property, dict[str, str]] = Field(default_factory=dict)

    @property
    def read_properties(self) -> set[str]:
        """Every property that activities are made of."""
        fixed = {self.created_at, self.closed_at, self.is_closed, self.is_won}
        return fixed | {name for name in (self.asset, self.value) if name} | set(self.fields.values())


class PageViews(MappingPart):
    """Visits of pages, from event occurrences; `url` is the property with the address, `page` rows a call."""

    kind: Literal["page_views"]
    path: Path
    event: str
    type: Name
    url: Property
    page: int = Field(default=100, ge=1)
    channel: str | None = None
    fields: Annotated[dict[Name, Property], FREE_NAMES] = Field(default_factory=dict)


class EmailEvents(MappingPart):
    """Opens and clicks of marketing e-mails; `types` maps the vendor's event types to ours.

    `filtered` brings those too that HubSpot's own reports leave out (scanners, addresses that the account's
    settings name), with the field `filtered`, for a quarantine to hold them where people see it. `fields`
    maps extra activity fields to what an event says: `{user_agent: userAgent}`.
    """

    kind: Literal["email_events"]
    path: Path
    types: dict[str, Name]
    page: int = Field(default=1000, ge=1)
    channel: str | None = None
    filtered: bool = False
    fields: Annotated[dict[Name, Property], FREE_NAMES] = Field(default_factory=dict)


class Forms(MappingPart):
    """Form submissions; `path` has a place for `{form}`.

    `forms` lists the GUIDs to read; empty: every form of `listing`.
    """

    kind: Literal["forms"]
    listing: Path
    path: Path
    type: Name
    page: int = Field(default=50, ge=1)
    channel: str | None = None
    forms: tuple[str, ...] = ()


Stream = Annotated[Engagements | Deals | PageViews | EmailEvents | Forms, Field(discriminator="kind")]


class Tasks(MappingPart):
    """Where automations make tasks, and the two task properties that say which delivery made one.

    `of_contacts` lists the tasks of contacts; `owner` is the contact's property with the person in charge.
    `association` is the CRM's number for "this task is about that contact".
    """

    create: Path
    read: Path
    of_contacts: Path
    properties: Path
    groups: Path
    delivery: Property
    automation: Property
    owner: Property = "hubspot_owner_id"
    association: int = 204


class HubSpotMapping(Mapping):
    """A HubSpot account's mapping.

    `account_details` says which account it is: sandbox credentials shall not write to another one.
    `api_usage` tells at the start of a run how many of the day's calls are gone.
    `languages` are the path prefixes that say nothing but the language: `/de/pricing` is `/pricing`.
    Automations make tasks where `tasks` says how; leads carry attributes of their companies where `accounts`
    does.
    """

    listed_in: ClassVar = SHIPPED

    connector: Literal["hubspot"]
    group: Name
    account_details: Path
    api_usage: Path | None = None
    languages: frozenset[str] = frozenset()
    leads: HubSpotLeads
    accounts: HubSpotAccounts | None = None
    activities: dict[Name, Stream]
    tasks: Tasks | None = None

    @property
    def makes_tasks(self) -> bool:
        """Whether automations can make tasks there."""
        return self.tasks is not None

    @model_validator(mode="after")
    def _leads_can_carry_their_accounts(self) -> Self:
        refuse_all(self.accounts.problems(self.leads) if self.accounts else [])
        return self
