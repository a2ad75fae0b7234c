"""HubSpot as a source and a target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from rescore.connectors.base import Cursor, ScoreUpdate, WriteResult
from rescore.connectors.connection import Connection
from rescore.connectors.describing import Listing, Volume
from rescore.connectors.hubspot.accounts import account_pages
from rescore.connectors.hubspot.client import Client, Refused
from rescore.connectors.hubspot.deals import deals_as
from rescore.connectors.hubspot.deletions import deleted_accounts, deleted_leads, deleted_pages
from rescore.connectors.hubspot.describing import listings, volumes
from rescore.connectors.hubspot.email_events import email_event_pages
from rescore.connectors.hubspot.engagements import engagements_as
from rescore.connectors.hubspot.fields import HubSpotFields
from rescore.connectors.hubspot.forms import form_pages
from rescore.connectors.hubspot.leads import lead_pages
from rescore.connectors.hubspot.limits import Limits
from rescore.connectors.hubspot.mapping import (
    Deals,
    EmailEvents,
    Engagements,
    HubSpotMapping,
    PageViews,
)
from rescore.connectors.hubspot.page_views import page_view_pages
from rescore.connectors.hubspot.properties import check_properties, create_properties
from rescore.connectors.hubspot.reading_back import read_edits, read_shown
from rescore.connectors.hubspot.recipients import Recipients
from rescore.connectors.hubspot.tasks import HubSpotTasks
from rescore.connectors.hubspot.tied import tied_pages
from rescore.connectors.hubspot.usage import learn_usage, read_usage
from rescore.connectors.hubspot.values import milliseconds
from rescore.connectors.hubspot.writing import write_scores
from rescore.connectors.pace import Calls, Pace
from rescore.connectors.readback import Edit, Shown
from rescore.errors import CrmUnavailable, SettingsIncomplete
from rescore.lake.records import Page

LEADS, DELETED = "contacts", "deleted contacts"
ACCOUNTS, DELETED_ACCOUNTS = "companies", "deleted companies"


class HubSpot:
    """A HubSpot account, or a server that speaks its API.

    The streams are `contacts`, and `deleted contacts`, `companies` and `deleted companies` where the mapping
    says how to read them, and the activities of the mapping, each under its name there. `pace` is whoever
    counts its calls; by default this process for itself.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        mapping: HubSpotMapping,
        limits: Limits | None = None,
        *,
        verify: bool | str = True,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = mapping.name
        deleted = (DELETED,) if mapping.leads.deleted else ()
        accounts = (ACCOUNTS,) if mapping.accounts else ()
        gone = (DELETED_ACCOUNTS,) if mapping.accounts and mapping.accounts.deleted else ()
        self.streams = (LEADS, *deleted, *accounts, *gone, *mapping.activities)
        self.mapping = mapping
        limits = limits or Limits()
        self._client = Client(base_url, token, limits, verify=verify, pace=pace, clock=clock, sleep=sleep)
        self.batch_size = limits.batch
        self.rates = limits.rates
        self.longest_write = limits.longest_write
        self.call_seconds = limits.calls_seconds / limits.calls
        self._recipients = Recipients(self._client, mapping.leads.read)

    @classmethod
    def from_connection(cls, connection: Connection, mapping: HubSpotMapping, calls: Calls) -> Self:
        """From an Airflow Connection: the host, the token as password, limits and `verify` in the extra.

        Raises:
            SettingsIncomplete: A limit is no positive number, or the token cannot be one.
        """
        limits, pace = calls.within(Limits.from_extra(connection), mapping.name)
        verify = connection.extra.get("verify", True)
        return cls(connection.url, connection.token, mapping, limits, verify=verify, pace=pace)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`."""
        if stream == LEADS and self.mapping.api_usage:
            learn_usage(self._client, self.mapping.api_usage)
        try:
            yield from self._pages(stream, cursor, until)
        except Refused as refusal:
            raise CrmUnavailable(f"{refusal}; check `{stream}` in the mapping `{self.name}`") from refusal

    def write(self, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
        """See `Target.write`."""
        return write_scores(self._client, self.mapping.leads.update, updates)

    def fingerprint(self) -> str:
        """See `Target.fingerprint`: the number of the portal."""
        path = self.mapping.account_details
        try:
            portal = self._client.get(path).get("portalId")
        except Refused as refusal:
            raise CrmUnavailable(f"{refusal}; check `account_details` in the mapping") from refusal
        if not isinstance(portal, int):
            raise CrmUnavailable(
                f"HubSpot did not say which account this is; check `account_details: {path}`"
            )
        return f"portal {portal}"

    def room(self, priority: int) -> float:
        """See `Target.room`."""
        return self._client.pace.room(priority)

    def read(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[str, Shown | None]:
        """See `ReadBack.read`."""
        return read_shown(self._client, self.mapping.leads.read, lead_ids, properties)

    def edits(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[tuple[str, str], list[Edit]]:
        """See `ReadBack.edits`."""
        return read_edits(self._client, self.mapping.leads.read, lead_ids, properties)

    @property
    def fields(self) -> HubSpotFields:
        """Single properties of contacts; see `Actions`."""
        return HubSpotFields(self._client, self.mapping.leads)

    @property
    def tasks(self) -> HubSpotTasks:
        """The tasks of contacts; see `Actions`.

        Raises:
            SettingsIncomplete: The mapping does not say where tasks are made.
        """
        if self.mapping.tasks is None:
            raise SettingsIncomplete(
                f"the mapping {self.name}.yaml has no `tasks`; say there where they are made, or take "
                "`crm_task` out of the rules"
            )
        return HubSpotTasks(self._client, self.mapping.tasks, self.fields)

    def describe(self) -> Iterator[Listing]:
        """See `Describable.describe`."""
        with self._told():
            yield from listings(self._client, self.mapping)

    def volumes(self, *, since: datetime | None) -> Iterator[Volume]:
        """See `Describable.volumes`."""
        with self._told():
            yield from volumes(self._client, self.mapping, since=since)

    def setup(self) -> list[str]:
        """Create the score properties; one line per property says what was done. Safe to repeat."""
        try:
            return create_properties(self._client, self.mapping)
        except Refused as refusal:
            raise CrmUnavailable(f"{refusal}; create the properties by hand or ask HubSpot why") from refusal

    def check(self) -> None:
        """See that the token works and every property of the mapping is there.

        Raises:
            CrmRejectedCredentials: The token is wrong or lacks a scope.
            CrmFieldMissing: Naming the property and the way out.
        """
        try:
            check_properties(self._client, self.mapping)
            if self.mapping.api_usage:
                read_usage(self._client, self.mapping.api_usage)
        except Refused as refusal:
            raise CrmUnavailable(
                f"{refusal}; check the host of the Connection and the path in the mapping {self.name}.yaml"
            ) from refusal

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A path of the mapping that HubSpot refuses is told as what it is."""
        try:
            yield
        except Refused as refusal:
            raise CrmUnavailable(f"{refusal}; check the path in the mapping {self.name}.yaml") from refusal

    def _pages(self, stream: str, cursor: Cursor | None, until: datetime) -> Iterator[Page]:
        if stream == LEADS:
            return lead_pages(self._client, self.mapping.leads, self._recipients, cursor, until=until)
        if stream == DELETED and self.mapping.leads.deleted:
            path = self.mapping.leads.deleted
            return deleted_pages(self._client, path, cursor, until=until, gone=deleted_leads)
        if stream == ACCOUNTS and self.mapping.accounts:
            return account_pages(self._client, self.mapping.accounts, cursor, until=until)
        if stream == DELETED_ACCOUNTS and self.mapping.accounts and self.mapping.accounts.deleted:
            path = self.mapping.accounts.deleted
            return deleted_pages(self._client, path, cursor, until=until, gone=deleted_accounts)
        languages, read = self.mapping.languages, self.mapping.activities[stream]
        oldest = milliseconds(until - self.mapping.history) if self.mapping.history else 0
        if isinstance(read, Engagements | Deals):
            kind = engagements_as(read) if isinstance(read, Engagements) else deals_as(read)
            return tied_pages(self._client, stream, read, kind, cursor, until=until, oldest=oldest)
        if isinstance(read, PageViews):
            return page_view_pages(self._client, stream, read, languages, cursor, until=until, oldest=oldest)
        if isinstance(read, EmailEvents):
            return email_event_pages(
                self._client, stream, read, languages, self._recipients, cursor, until=until, oldest=oldest
            )
        return form_pages(
            self._client, stream, read, languages, self._recipients, cursor, until=until, oldest=oldest
        )
