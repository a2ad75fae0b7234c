"""The rows the sandbox's world is made of, before they have a date."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

Properties: TypeAlias = dict[str, str | None]

DAY_MS: Final = 86_400_000
ENGAGEMENT_TYPES: Final = ("calls", "emails", "meetings", "notes", "tasks")


class Slot(NamedTuple):
    """A moment that does not know its date yet.

    The day is counted back from the end of the world, so that one generated world can end on any day; a
    negative count lies in the future. `delay` is what followed minutes later in the same visit.
    """

    days_before: int
    time_of_day: int
    delay: int = 0

    def at(self, ends_at: int) -> int:
        """Epoch milliseconds, in the 24 hours that end `days_before` days before `ends_at`."""
        window_end = ends_at - self.days_before * DAY_MS
        moment = window_end - window_end % DAY_MS + self.time_of_day
        if moment > window_end:
            moment -= DAY_MS
        return min(moment + self.delay, max(ends_at, window_end))

    def later(self, milliseconds: int) -> "Slot":
        """The same visit, this much later."""
        return self._replace(delay=self.delay + milliseconds)


class Change(NamedTuple):
    """Properties a contact took on at some moment after it was created."""

    slot: Slot
    properties: Properties


class Contact(NamedTuple):
    """One lead as the CRM knows it."""

    id: int
    slot: Slot
    properties: Properties
    changes: list[Change]


class Engagement(NamedTuple):
    """A call, e-mail, meeting, note or task a seller logged; `contact_id` is who it is associated with."""

    id: int
    type: str
    contact_id: int
    slot: Slot
    logged_after: int
    properties: Properties


class Deal(NamedTuple):
    """A sale in the making; a change that closes it is dated by the moment it happens."""

    id: int
    contact_id: int
    slot: Slot
    properties: Properties
    changes: list[Change]


class PageView(NamedTuple):
    """One page seen by one contact."""

    id: str
    contact_id: int
    slot: Slot
    url: str
    title: str


class EmailEvent(NamedTuple):
    """An open of, or a click in, a marketing e-mail. The vendor knows the recipient by address only."""

    id: str
    type: str
    contact_id: int
    slot: Slot
    campaign_id: int
    subject: str
    url: str | None


class Submission(NamedTuple):
    """One form, filled in once."""

    id: str
    form: str
    contact_id: int
    slot: Slot
    page_url: str


@dataclass(frozen=True)
class Script:
    """Everything that will happen, day by day counted back from an end that is still open."""

    contacts: list[Contact] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    page_views: list[PageView] = field(default_factory=list)
    email_events: list[EmailEvent] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
