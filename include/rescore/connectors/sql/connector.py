"""A database as a source: its table of leads, and one stream for each table of activities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal, Self

import pyarrow as pa

from rescore.connectors.base import Cursor
from rescore.connectors.connection import Connection
from rescore.connectors.pace import Calls
from rescore.connectors.sql.database import Database
from rescore.connectors.sql.mapping import SqlActivities, SqlLeads, SqlMapping
from rescore.connectors.sql.window import Window, newest, rows_of, without_cursor
from rescore.connectors.tabular.activities import batch_of, texts
from rescore.connectors.tabular.leads import read_leads
from rescore.lake.records import Page, SetAside

LEADS = "leads"


class SqlSource:
    """Tables of a database; the streams are `leads` and the activities of the mapping, by their names there.

    What a loader has replaced or removed without moving a row's cursor is not noticed.
    """

    def __init__(self, database: Database, mapping: SqlMapping) -> None:
        self.name = mapping.name
        self.streams = (LEADS, *mapping.activities)
        self.mapping = mapping
        self._database = database

    @classmethod
    def from_connection(cls, connection: Connection, mapping: SqlMapping, _: Calls) -> Self:
        """From an Airflow Connection of a database; it makes no calls that anybody would count.

        Raises:
            SettingsIncomplete: It is of no type, or the driver for it is not installed.
        """
        return cls(Database(connection), mapping)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`; a row without a cursor is set aside each time."""
        read = self.mapping.leads if stream == LEADS else self.mapping.activities[stream]
        self._database.check_columns(read.table, [read.cursor, *read.columns])
        window = Window.of(cursor)
        if window.end is not None:  # what an earlier run began
            yield from self._window(read, window)
            window = window.passed()
        latest = self._database.value(read.table, newest(read))
        yield from self._without_cursor(read, window)
        if latest is None:
            yield Page(cursor=window.cursor)
            return
        yield from self._window(read, window.up_to(latest, until))

    def _window(self, read: SqlLeads | SqlActivities, window: Window) -> Iterator[Page]:
        """Its rows, and at last a page that says it has passed."""
        page_of: Callable[[Any, pa.Table, Cursor], Page] = _lead_page
        as_texts = [read.id]
        if isinstance(read, SqlActivities):
            page_of = _activity_page
            as_texts += [read.lead, *read.fields.values(), *([read.asset] if read.asset else [])]
        if not self._database.is_postgresql:
            as_texts = []  # how another spells a value may differ from how its driver gives it
        as_texts = [name for name in as_texts if name != read.cursor]
        query = rows_of(read, read.id, read.columns, window, as_texts=as_texts)
        for rows in self._database.read(read.table, query):
            last = rows.slice(rows.num_rows - 1)
            at, id_ = last[read.cursor][0].as_py(), last[read.id][0].as_py()
            yield page_of(read, rows, Window(window.since, window.end, (at, id_)).cursor)
        yield Page(cursor=window.passed().cursor)

    def _without_cursor(self, read: SqlLeads | SqlActivities, window: Window) -> Iterator[Page]:
        kind: Literal["activity", "lead"] = "activity" if isinstance(read, SqlActivities) else "lead"
        for rows in self._database.read(read.table, without_cursor(read, read.id)):
            ids = texts(rows[read.id]).to_pylist()
            aside = [SetAside(kind, id_ or "", "cursor_missing", "") for id_ in ids]
            yield Page(set_aside=aside, cursor=window.cursor)


def _lead_page(read: SqlLeads, rows: pa.Table, cursor: Cursor) -> Page:
    page = Page(cursor=cursor)
    read_leads(rows.to_pylist(), read, page)
    return page


def _activity_page(read: SqlActivities, rows: pa.Table, cursor: Cursor) -> Page:
    return Page(cursor=cursor, batch=batch_of(rows, read))
