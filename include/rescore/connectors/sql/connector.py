"""A database as a source: its table of leads, and one stream for each table of activities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, Self

from sqlalchemy.dialects.postgresql import MONEY
from sqlalchemy.types import CHAR, Numeric, String, TypeEngine

from rescore.connectors.base import Cursor
from rescore.connectors.connection import Connection
from rescore.connectors.describing import Listing
from rescore.connectors.pace import Calls
from rescore.connectors.sql.cursors import CursorColumn
from rescore.connectors.sql.database import Database
from rescore.connectors.sql.describing import listings
from rescore.connectors.sql.mapping import SqlActivities, SqlLeads, SqlMapping
from rescore.connectors.sql.window import Window, newest, not_found, rows_of
from rescore.connectors.tabular.activities import batch_of, texts
from rescore.connectors.tabular.leads import read_leads
from rescore.lake.records import Page, SetAside

LEADS = "leads"

Types = dict[str, TypeEngine[Any]]
"""Of columns by their names."""


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

    def describe(self) -> Iterator[Listing]:
        """See `Describable.describe`."""
        return listings(self._database, self.mapping)

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        """See `Source.pages`; a row whose cursor is missing or says nothing is set aside each time."""
        read = self.mapping.leads if stream == LEADS else self.mapping.activities[stream]
        types = self._database.check_columns(read.table, [read.cursor, *read.columns])
        window = Window.of(cursor)
        at = self._cursor_of(read, types[read.cursor], window)
        latest = self._newest(read, at, until)
        at.check_overlap(read, is_empty=latest is None)
        if not at.understands(window.end if window.since is None else window.since):
            window = Window()  # the column is of another type now
        if window.end is not None:  # what an earlier run began
            yield from self._window(read, at, window, types)
            window = window.passed()
        yield from self._not_found(read, at, window)
        if latest is None:
            yield Page(cursor=window.cursor)
            return
        yield from self._window(read, at, Window(window.since, latest), types)

    def _cursor_of(
        self, read: SqlLeads | SqlActivities, declared: TypeEngine[Any], window: Window
    ) -> CursorColumn:
        if not self._database.is_sqlite:
            return CursorColumn.declared(declared, loose=self._database.is_postgresql)
        known = window.end if window.since is None else window.since
        text, number = CursorColumn("text", loose=True), CursorColumn("number of any kind")
        for at in (text, number) if known is None or isinstance(known, str) else (number, text):
            if self._database.value(read.table, newest(read, at)) is not None:
                return at
        return number

    def _newest(self, read: SqlLeads | SqlActivities, at: CursorColumn, until: datetime) -> Any:
        """The newest value of the cursor that is not of the future."""
        present = None
        if at.is_time:
            like = self._database.value(read.table, newest(read, at)) if at.kind == "text" else ""
            present = at.present(until, like or "")
        return self._database.value(read.table, newest(read, at, present))

    def _window(
        self, read: SqlLeads | SqlActivities, at: CursorColumn, window: Window, types: Types
    ) -> Iterator[Page]:
        """Its rows, and at last a page that says it has passed."""
        if isinstance(read, SqlActivities):
            yield from self._activities(read, at, window, types)
        else:
            yield from self._leads(read, at, window, types)
        yield Page(cursor=window.passed().cursor)

    def _leads(self, read: SqlLeads, at: CursorColumn, window: Window, types: Types) -> Iterator[Page]:
        query = rows_of(read, at, window, self._casts(read, [read.id], types))
        for rows in self._database.records(read.table, query):
            page = Page(cursor=window.behind(rows[-1][read.cursor], rows[-1][read.id]).cursor)
            read_leads(rows, read, page)
            yield page

    def _activities(
        self, read: SqlActivities, at: CursorColumn, window: Window, types: Types
    ) -> Iterator[Page]:
        texts = [read.id, read.lead, *read.fields.values(), *([read.asset] if read.asset else [])]
        query = rows_of(read, at, window, self._casts(read, texts, types))
        for rows in self._database.read(read.table, query):
            last = rows.slice(rows.num_rows - 1)
            there = window.behind(last[read.cursor][0].as_py(), last[read.id][0].as_py())
            yield Page(cursor=there.cursor, batch=batch_of(rows, read))

    def _casts(self, read: SqlLeads | SqlActivities, texts: list[str], types: Types) -> Types:
        """What PostgreSQL makes of columns before they leave it; others may spell a value as no driver does.

        ADBC would give `money` in hundredths, and `char` with the blanks that fill it up.
        """
        if not self._database.is_postgresql:
            return {}
        odd = {
            name: Numeric() if isinstance(types[name], MONEY) else String()
            for name in read.columns
            if isinstance(types[name], MONEY | CHAR)
        }
        casts: Types = {**odd, **dict.fromkeys(texts, String())}
        casts.pop(read.cursor, None)
        return casts

    def _not_found(self, read: SqlLeads | SqlActivities, at: CursorColumn, window: Window) -> Iterator[Page]:
        kind: Literal["activity", "lead"] = "activity" if isinstance(read, SqlActivities) else "lead"
        for rows in self._database.read(read.table, not_found(read, at)):
            aside = [
                SetAside(kind, id_ or "", "cursor_missing" if missing else "cursor_unreadable", "")
                for id_, missing in zip(
                    texts(rows["id"]).to_pylist(), rows["missing"].to_pylist(), strict=True
                )
            ]
            yield Page(set_aside=aside, cursor=window.cursor)
