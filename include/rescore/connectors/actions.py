"""What automations may do in a CRM beside scores: make a task, set a property that a guard lets pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rescore.outcome import Outcome

FieldTexts = Mapping[str, str | None]
"""Properties of one record as the CRM writes them; None where there is no value."""


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task that a lead has; `delivery` and `automation` are empty where somebody else made it."""

    task_id: str
    open: bool
    delivery: str | None
    automation: str | None


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to make.

    `delivery` and `automation` are written into properties of the task, and are how it is found again.
    `owner` is the CRM's id of a person; None leaves the task to nobody.
    """

    lead_id: str
    title: str
    due: datetime
    owner: str | None
    delivery: str
    automation: str


class Tasks(Protocol):
    """The tasks of a CRM's leads."""

    def of_lead(self, lead_id: str) -> list[KnownTask]:
        """Every task of a lead, also one that was made a moment ago: never from a search index.

        Raises:
            RecordGone: The CRM has no such lead any more.
            CrmRejectedCredentials, CrmRateLimited, CrmUnavailable: As for every connector.
        """
        ...

    def owner_of(self, lead_id: str) -> str | None:
        """Who owns the lead; None when nobody does. Raises as `of_lead`."""
        ...

    def create(self, task: NewTask) -> str:
        """Make a task and tie it to its lead, in one call; its id comes back.

        Raises:
            RecordGone: The CRM has no such lead any more.
            RecordRefused: The CRM does not take this task.
            CrmFieldMissing: The properties that carry the delivery's id are not there.
            CrmUnavailable: With `sent`, the task may be there all the same.
        """
        ...


class Fields(Protocol):
    """The properties of a CRM's leads, one lead at a time."""

    def read(self, lead_id: str, names: Iterable[str]) -> FieldTexts:
        """The present values, by record id: what was written a moment ago is seen.

        Raises:
            RecordGone: The CRM has no such lead any more.
            CrmRejectedCredentials, CrmRateLimited, CrmUnavailable: As for every connector.
        """
        ...

    def write(self, lead_id: str, values: Mapping[str, str]) -> Outcome:
        """Set these properties of one lead in one call, and nothing else.

        Raises:
            CrmFieldMissing: One of them does not exist.
            CrmRejectedCredentials, CrmRateLimited, CrmUnavailable: As for every connector.
        """
        ...


class Actions(Protocol):
    """A CRM in which automations may act; which properties they may set is the mapping's to say."""

    name: str

    @property
    def tasks(self) -> Tasks:
        """Its tasks; SettingsIncomplete when the mapping has none."""
        ...

    @property
    def fields(self) -> Fields:
        """Its leads' properties."""
        ...
