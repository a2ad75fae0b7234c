"""Salesforce as a source and a target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from rescore.connectors.base import Cursor, ScoreUpdate, WriteResult
from rescore.connectors.connection import Connection
from rescore.connectors.describing import Listing, Volume
from rescore.connectors.own_pace import OwnPace
from rescore.connectors.pace import Calls, Pace
from rescore.connectors.readback import Edit, Shown
from rescore.connectors.salesforce.activities import activity_pages
from rescore.connectors.salesforce.checking import check_fields
from rescore.connectors.salesforce.client import Client, Refused
from rescore.connectors.salesforce.describing import listings, volumes
from rescore.connectors.salesforce.fields import SalesforceFields
from rescore.connectors.salesforce.limits import Limits
from rescore.connectors.salesforce.login import Login
from rescore.connectors.salesforce.mapping import SalesforceMapping
from rescore.connectors.salesforce.people import person_pages
from rescore.connectors.salesforce.reading_back import read_edits, read_shown, who_we_are
from rescore.connectors.salesforce.refusals import unreadable
from rescore.connectors.salesforce.tasks import SalesforceTasks
from rescore.connectors.salesforce.writing import write_scores
from rescore.errors import RescoreError, SettingsIncomplete
from rescore.lake.records import Page

PEOPLE = "people"


class Salesforce:
    """A Salesforce organisation, or a server that speaks its API.

    The streams are `people` (leads and contacts) and the activities of the mapping, each under its name
    there. `pace` is whoever counts its calls; by default this process for itself. `origin` is where
    everything is sent instead of the vendor's addresses.
    """

    def __init__(
        self,
        login: Login,
        mapping: SalesforceMapping,
        limits: Limits | None = None,
        *,
        origin: str | None = None,
        verify: bool | str = True,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = mapping.name
        self.streams = (PEOPLE, *mapping.activities)
        self.mapping = mapping
        limits = limits or Limits()
        pace = pace or OwnPace(limits.rates, clock=clock, sleep=sleep)
        self._client = Client(login, limits, pace, origin=origin, verify=verify, clock=clock, sleep=sleep)
        self._zone = ZoneInfo(mapping.zone)
        self.rates = limits.rates
        self.batch_size = limits.batch
        self.longest_write = limits.longest_write
        self.call_seconds = limits.calls_seconds / limits.calls

    @classmethod
    def from_connection(cls, connection: Connection, mapping: SalesforceMapping, calls: Calls) -> Self:
        """From an Airflow Connection of type `salesforce`; limits and `verify` in its extra too.

        A host is needed for a sandbox or a gateway only, and gets everything, the login too.

        Raises:
            SettingsIncomplete: What is there opens no door, or a limit is no positive number.
        """
        limits, pace = calls.within(Limits.from_extra(connection), mapping.name)
        return cls(
            Login.from_connection(connection),
            mapping,
            limits,
            origin=connection.url if connection.host else None,
            verify=connection.extra.get("verify", True),
            pace=pace,
        )

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`."""
        if stream == PEOPLE:
            return person_pages(
                self._client, self.mapping.leads, cursor, until=until, unreadable=self._unreadable
            )
        mapped = self.mapping.activities[stream]
        return activity_pages(
            self._client, stream, mapped, self._zone, cursor, until=until, unreadable=self._unreadable
        )

    def write(self, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
        """See `Target.write`."""
        return write_scores(self._client, updates)

    def fingerprint(self) -> str:
        """See `Target.fingerprint`: the organisation's id; each of its sandboxes has another one."""
        return f"organisation {who_we_are(self._client)[0]}"

    def room(self, priority: int) -> float:
        """See `Target.room`."""
        return self._client.pace.room(priority)

    def read(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[str, Shown | None]:
        """See `ReadBack.read`."""
        return read_shown(self._client, lead_ids, properties, self.name)

    def edits(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[tuple[str, str], list[Edit]]:
        """See `ReadBack.edits`."""
        return read_edits(self._client, lead_ids, properties)

    @property
    def fields(self) -> SalesforceFields:
        """Single fields of leads and contacts; see `Actions`."""
        return SalesforceFields(self._client, self.name)

    @property
    def tasks(self) -> SalesforceTasks:
        """The tasks of leads and contacts; see `Actions`.

        Raises:
            SettingsIncomplete: The mapping does not say by which fields they are found again.
        """
        if self.mapping.tasks is None:
            raise SettingsIncomplete(
                f"the mapping {self.name}.yaml has no `tasks`; name their two fields there, or take "
                "`crm_task` out of the rules"
            )
        return SalesforceTasks(self._client, self.mapping.tasks, self.fields, self._zone, self.name)

    def describe(self) -> Iterator[Listing]:
        """See `Describable.describe`."""
        return listings(self._client, self.mapping)

    def volumes(self, *, since: datetime | None) -> Iterator[Volume]:
        """See `Describable.volumes`; `since` spares nothing: what changed is read, whenever it happened."""
        return volumes(self._client, self.mapping)

    def setup(self) -> list[str]:
        """Fields are an administrator's to make; see `check`. One line for each that is ours."""
        return check_fields(self._client, self.mapping)

    def check(self) -> None:
        """See that the login works and every field of the mapping is there.

        Raises:
            CrmRejectedCredentials: The login is refused, or an object is not ours to see.
            CrmFieldMissing: Naming the fields and the way out.
        """
        check_fields(self._client, self.mapping)

    def _unreadable(self, refusal: Refused, entity: str, asked: Sequence[str]) -> RescoreError:
        return unreadable(refusal, entity, asked, f"{self.name}.yaml")
