"""Tryton as a source and a target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from rescore.connectors.base import Cursor, ScoreUpdate, WriteResult
from rescore.connectors.connection import Connection
from rescore.connectors.describing import Listing
from rescore.connectors.pace import Calls, Pace
from rescore.connectors.readback import Edit, Shown
from rescore.connectors.tryton.activities import MODELS, campaign_pages, email_pages, note_pages
from rescore.connectors.tryton.client import Client, Fault
from rescore.connectors.tryton.deletions import deleted_pages
from rescore.connectors.tryton.describing import listings
from rescore.connectors.tryton.fields import TrytonFields
from rescore.connectors.tryton.leads import LEAD, lead_pages
from rescore.connectors.tryton.limits import Limits
from rescore.connectors.tryton.mapping import Emails, Notes, TrytonMapping
from rescore.connectors.tryton.reading_back import read_edits, read_shown
from rescore.connectors.tryton.refusals import cause, explain, unread
from rescore.connectors.tryton.tasks import TrytonTasks
from rescore.connectors.tryton.writing import write_scores
from rescore.errors import SettingsIncomplete
from rescore.lake.records import Page

LEADS, DELETED = "leads", "deleted leads"


class Tryton:
    """One database of a Tryton server.

    The streams are `leads`, `deleted leads` where the mapping wants them, and the activities of the mapping,
    each under its name there. `pace` is whoever counts its calls.
    """

    def __init__(
        self,
        connection: Connection,
        mapping: TrytonMapping,
        limits: Limits | None = None,
        *,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = mapping.name
        self.mapping = mapping
        deleted = (DELETED,) if mapping.leads.deleted else ()
        self.streams = (LEADS, *deleted, *mapping.activities)
        limits = limits or Limits.from_extra(connection)
        self.batch_size = limits.batch
        self.longest_write = limits.longest_write
        self.call_seconds = limits.calls_seconds / limits.calls
        self._database = str(connection.extra.get("database") or "")
        if not self._database:
            raise SettingsIncomplete(
                f"the Connection `{connection.id}` names no database; write `database` into its extra"
            )
        self._host = urlsplit(connection.url).netloc
        self._client = Client(
            connection.url,
            self._database,
            connection.login,
            connection.password,
            limits,
            connection=connection.id,
            verify=connection.extra.get("verify", True),
            pace=pace,
            sleep=sleep,
        )

    @classmethod
    def from_connection(cls, connection: Connection, mapping: TrytonMapping, calls: Calls) -> Self:
        """From an Airflow Connection: host, login, password; `database`, limits and `verify` in the extra.

        Raises:
            SettingsIncomplete: No database is named, or a limit is no positive number.
        """
        limits, pace = calls.within(Limits.from_extra(connection), mapping.name)
        return cls(connection, mapping, limits, pace=pace)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`."""
        try:
            yield from self._pages(stream, cursor, until)
        except Fault as fault:
            if stream in (LEADS, DELETED):
                names = self.mapping.leads.read_properties
                raise explain(self._client, fault, model=LEAD, names=names) from fault
            models = MODELS[type(self.mapping.activities[stream])]
            raise unread(self._client, fault, stream=stream, models=models) from fault

    def write(self, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
        """See `Target.write`."""
        return write_scores(self._client, updates)

    def read(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[str, Shown | None]:
        """See `ReadBack.read`."""
        return read_shown(self._client, lead_ids, properties)

    def edits(self, lead_ids: Sequence[str], properties: Sequence[str]) -> dict[tuple[str, str], list[Edit]]:
        """See `ReadBack.edits`: every user but Tryton's own and ours counts as a person."""
        return read_edits(self._client, lead_ids, properties)

    def fingerprint(self) -> str:
        """See `Target.fingerprint`; Tryton gives its databases no number, so it is their name and host."""
        return f"{self._database} at {self._host}"

    def room(self, priority: int) -> float:
        """See `Target.room`; Tryton has no quota."""
        return self._client.pace.room(priority) if self._client.pace else 0.0

    @property
    def fields(self) -> TrytonFields:
        """Single fields of leads; see `Actions`."""
        return TrytonFields(self._client)

    @property
    def tasks(self) -> TrytonTasks:
        """Notes at leads; see `Actions`.

        Raises:
            SettingsIncomplete: The mapping does not allow them.
        """
        if not self.mapping.makes_tasks:
            raise SettingsIncomplete(
                f"the mapping {self.name}.yaml has no `tasks`; write `tasks: notes` there, or take "
                "`crm_task` out of the rules"
            )
        return TrytonTasks(self._client)

    def setup(self) -> list[str]:
        """Tryton has no fields that a program could make; its module brings them. Says what is there."""
        self.check()
        return [f"field `{name}`: was there" for name in self._written()]

    def describe(self) -> Iterator[Listing]:
        """See `Describable.describe`."""
        return listings(self._client, self.mapping)

    def check(self) -> None:
        """See that the user is let in and that every field of the mapping is there.

        Raises:
            CrmRejectedCredentials: The user or the password is wrong, or it may not read and write leads.
            CrmFieldMissing: Naming the field and the way out.
        """
        names = {*self.mapping.leads.read_properties, *self._written()}
        if error := cause(self._client, model=LEAD, names=names, writing=bool(self.mapping.scores)):
            raise error

    def _written(self) -> list[str]:
        return [name for fields in self.mapping.scores.values() for name in fields.properties]

    def _pages(self, stream: str, cursor: Cursor | None, until: datetime) -> Iterator[Page]:
        if stream == LEADS:
            return lead_pages(self._client, self.mapping.leads, cursor, until=until)
        if stream == DELETED:
            return deleted_pages(self._client, cursor, until=until)
        read = self.mapping.activities[stream]
        if isinstance(read, Notes):
            return note_pages(self._client, stream, read, cursor, until=until)
        if isinstance(read, Emails):
            return email_pages(self._client, stream, read, cursor, until=until)
        return campaign_pages(self._client, stream, read, cursor, until=until)
