"""What the lake knew at an earlier moment: every row ever landed says from when until when it counted.

A moment is a time, or for each table the number of the last append that a reader had seen. The numbers
are exact where times are not: two landings may be known at the same time, and a reader may come between
the tables of one landing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.aliases import AliasLog, Merge
from rescore.lake.reading import IDENTITY, at_home_in, attribute_kinds, has_revisions, listed, rows_in
from rescore.lake.tables import (
    ACTIVITIES,
    ALIASES,
    INBOX,
    LEADS,
    PAST,
    SCHEMAS,
    bucket_of,
    buckets_of,
    columns_of,
    files,
    serial_of,
)

Seen = Mapping[str, int]
"""Which state of the lake somebody read: table -> number of its last append (of `aliases`: of merges)."""

Known = datetime | Seen


def seen_in(*, activities: DeltaTable | None, leads: DeltaTable | None, log: AliasLog) -> Seen:
    """The state that these tables are in."""
    tables = {ACTIVITIES: activities, LEADS: leads}
    serials = {name: 0 if table is None else serial_of(table) for name, table in tables.items()}
    return serials | {ALIASES: log.entries}


def merges_known(merges: Iterable[Merge], known: Known) -> list[Merge]:
    """Those that had landed by then."""
    if isinstance(known, datetime):
        return [merge for merge in merges if merge.known_at <= _naive(known)]
    return [merge for merge in merges if merge.ordinal < known[ALIASES]]


class History:
    """Every revision of the rows of one table; `next_serial` and `next_known_at` say what ended each.

    They are null while a row counts. A replaced row that is not folded in yet has its successor in the
    inbox.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: DeltaTable | None, kind: str) -> None:
        self._connection, self._table, self._kind = connection, table, kind
        self.schema = SCHEMAS[kind] if table is None else columns_of(table)
        self._columns = [column for column in self.schema if column.name != "bucket"]
        self._successors = None if table is None or not has_revisions(table) else self._keep_successors(table)

    def read(self, buckets: Iterable[int] | None = None) -> str:
        """All there are, or those that may be of leads in these buckets."""
        if self._table is None:
            return rows_in(self._columns, [])
        wanted = None if buckets is None else {INBOX, PAST, *map(str, buckets)}
        rows = rows_in(self._columns, files(self._table, wanted))
        if self._successors is None:
            return rows
        names = [column.name for column in self._columns if not column.name.startswith("next_")]
        ends = ", ".join(f"coalesce(r.{end}, n.{end}) AS {end}" for end in ("next_serial", "next_known_at"))
        same = " AND ".join(f"r.{key} = n.{key}" for key in (*IDENTITY[self._kind], "revision"))
        return (
            f"SELECT {listed(names, 'r')}, {ends} FROM ({rows}) AS r "
            f"LEFT JOIN {self._successors} AS n ON {same}"
        )

    def _keep_successors(self, table: DeltaTable) -> str:
        """A table of what the inbox replaces, each with the append and the time of what replaced it."""
        keys, name = listed(IDENTITY[self._kind]), f"successors_{self._kind}"
        columns = [
            column
            for column in self._columns
            if column.name in (*IDENTITY[self._kind], "revision", "serial", "known_at")
        ]
        self._connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT {keys}, revision - 1 AS revision, serial AS next_serial, "
            f"known_at AS next_known_at FROM ({rows_in(columns, files(table, [INBOX]))}) WHERE revision > 0"
        )
        return name


class PastRows:
    """The rows of one table that counted at a moment."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: DeltaTable | None, kind: str, *, known: Known
    ) -> None:
        self._table = table
        self._history = History(connection, table, kind)
        self._kind, self._known = kind, known
        self.schema = self._history.schema
        if kind == LEADS:
            self.schema = self._schema_then(connection)

    def read(self, buckets: Iterable[int] | None = None) -> str:
        """The whole inbox, and all buckets or those named."""
        return f"SELECT * FROM ({self._history.read(buckets)}) WHERE {counted(self._kind, self._known)}"

    def at_home_in(self, buckets: range) -> str:
        """What belongs to these buckets, wherever it is now."""
        rows = self.read(buckets)
        return rows if self._table is None else f"{rows} AND {at_home_in(self._table, buckets)}"

    def _schema_then(self, connection: duckdb.DuckDBPyConnection) -> pa.Schema:
        """Without the kinds of value that an attribute of several kinds did not have yet."""
        several = [
            f"{name}__{kind}"
            for name, kinds in attribute_kinds(self.schema).items()
            if len(kinds) > 1
            for kind in kinds
        ]
        if not several:
            return self.schema
        counts = ", ".join(f'count("{column}")' for column in several)
        there = f"SELECT {counts} FROM ({self._history.read()}) WHERE {landed(self._kind, self._known)}"
        [found] = connection.execute(there).fetchall()
        unknown = {column for column, count in zip(several, found, strict=True) if not count}
        return pa.schema(column for column in self.schema if column.name not in unknown)


def first_known(
    connection: duckdb.DuckDBPyConnection, leads: DeltaTable | None, lead: str
) -> datetime | None:
    """When the first facts of a lead landed (aware)."""
    count = 1 if leads is None else buckets_of(leads)
    rows = History(connection, leads, LEADS).read([bucket_of(lead, count)])
    [(first,)] = connection.execute(f"SELECT min(known_at) FROM ({rows}) WHERE lead = ?", [lead]).fetchall()
    return None if first is None else first.replace(tzinfo=UTC)


def counted(kind: str, known: Known) -> str:
    """The condition on rows of a `History` that had landed by a moment and were not replaced yet."""
    column, moment = _measured(kind, known)
    return f"{landed(kind, known)} AND (next_{column} IS NULL OR next_{column} > {moment})"


def landed(kind: str, known: Known) -> str:
    """The condition on rows that had landed by a moment."""
    return "{} <= {}".format(*_measured(kind, known))


def _measured(kind: str, known: Known) -> tuple[str, str]:
    """The column that says when a row came, and a moment in its terms."""
    if isinstance(known, datetime):
        return "known_at", f"TIMESTAMP '{_naive(known).isoformat(sep=' ')}'"
    return "serial", str(known[kind])


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
