"""The lake's facts as SQL over its Parquet files.

Rows are passed on as the text of a SELECT and bound once, where they are used: binding a hundred files
takes longer than scoring a few leads.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from rescore.errors import RetryableError
from rescore.lake.tables import (
    ACCOUNTS,
    BOOKKEEPING,
    INBOX,
    LEADS,
    PAST,
    SCHEMAS,
    buckets_of,
    columns_of,
    files,
    places_of,
)

IDENTITY: Mapping[str, tuple[str, ...]] = {
    "activities": ("source", "activity_id"),
    "leads": ("lead",),
    "accounts": ("account",),
}
"""What makes two rows revisions of the same thing."""

FOLDED, WORDS = "__folded", "__words"

_NO_ATTRIBUTES = frozenset({*SCHEMAS[LEADS].names, *SCHEMAS[ACCOUNTS].names})

_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
}


_LOOKED_UP = 10_000
"""Up to so many leads, row groups without any of them are not read; DuckDB stops at 50 by itself."""


@contextmanager
def still_there() -> Iterator[None]:
    """Say plainly that a file is gone which this reader still knew of.

    Raises:
        RetryableError: An erasure has rewritten it; the next look finds the new one.
    """
    try:
        yield
    except duckdb.IOException as error:
        if not any(words in str(error) for words in ("No such file", "No files found")):
            raise
        raise RetryableError("the lake was rewritten while it was read; run this again") from None


def connect() -> duckdb.DuckDBPyConnection:
    """A connection whose temporary tables and views are its own; the database is the process's."""
    return _database(os.getpid()).cursor()


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """An in-process database that holds nothing but what it remembers of Parquet files; ours never change.

    One for each process (a fork inherits no threads), because starting one takes as long as scoring a few
    leads. It reads times as UTC, leaves the machine room to breathe, installs nothing and spills below the
    temporary folder.
    """
    return duckdb.connect(
        config={
            "threads": 2,
            "TimeZone": "UTC",
            "autoinstall_known_extensions": False,
            "preserve_insertion_order": False,
            "parquet_metadata_cache": True,
            "dynamic_or_filter_threshold": _LOOKED_UP,
            "temp_directory": str(Path(tempfile.gettempdir()) / "rescore-spill"),
        }
    )


def keep(connection: duckdb.DuckDBPyConnection, name: str, given: pa.Table) -> None:
    """Make a temporary table, in the place of one of that name."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM given")  # the engine finds our argument


def texts(values: Iterable[str]) -> pa.Array:
    """A column of texts for `keep`."""
    return pa.array(list(values), pa.string())


def listed(names: Iterable[str], relation: str = "") -> str:
    """Columns by their exact names, for a SELECT."""
    return ", ".join(f'{relation and relation + "."}"{name}"' for name in names)


def rows_in(columns: Iterable[pa.Field], uris: Collection[str]) -> str:
    """`columns` of Parquet files; a column that a file lacks, or all of them lack, is null."""
    nulls = ", ".join(f'NULL::{_SQL_TYPES[column.type]} AS "{column.name}"' for column in columns)
    none = f"SELECT {nulls} WHERE false"
    if not uris:
        return none
    quoted = ", ".join("'" + uri.replace("'", "''") + "'" for uri in uris)
    # without its files' columns by name, DuckDB would take every file to look like the first
    there = f"FROM read_parquet([{quoted}], union_by_name = true, hive_partitioning = false)"
    return f"SELECT {listed(column.name for column in columns)} FROM ({none} UNION ALL BY NAME {there})"


class CurrentRows:
    """The rows of one table that no later revision replaced.

    Buckets hold only such rows, so a replacement can only be in the inbox; when it has none, nothing
    is joined.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: DeltaTable | None,
        kind: str,
        columns: Collection[str] | None = None,
    ) -> None:
        self._connection, self._table, self._kind = connection, table, kind
        self.schema = SCHEMAS[kind] if table is None else columns_of(table)
        wanted = self.schema.names if columns is None else columns
        self._columns = [c for c in self.schema if c.name != "bucket" and c.name in wanted]
        self._newer = None if table is None else replacements(connection, table, kind)

    def read(self, buckets: Iterable[int] | None = None) -> str:
        """The whole inbox, and all buckets or those named."""
        if self._table is None:
            return rows_in(self._columns, [])
        if buckets is None:
            partitions = {partition["bucket"] for partition in self._table.partitions()} - {PAST}
        else:
            partitions = {INBOX, *map(str, buckets)}
        return self._without_replaced(rows_in(self._columns, files(self._table, partitions)))

    def at_home_in(self, buckets: range) -> str:
        """What belongs to these buckets: what is there, and what is in the inbox on its way there."""
        if self._table is None:
            return self.read()
        rows = rows_in(self._columns, files(self._table, map(str, buckets)))
        if landed := files(self._table, [INBOX]):
            on_their_way = rows_in(self._columns, landed)
            rows += f" UNION ALL {on_their_way} WHERE {at_home_in(self._table, buckets)}"
        return self._without_replaced(rows)

    def _without_replaced(self, rows: str) -> str:
        if self._newer is None:
            return rows
        return (
            f"SELECT r.* FROM ({rows}) AS r ANTI JOIN {self._newer} ON {older_than(self._newer, self._kind)}"
        )


def at_home_in(table: DeltaTable, buckets: range) -> str:
    """The condition on rows that belong to one of these buckets, wherever they are now."""
    places = places_of(buckets, buckets_of(table))
    return f"place BETWEEN {places[0]} AND {places[-1]}"


def older_than(newer: str, kind: str) -> str:
    """The join condition between rows `r` and the table of newer revisions of the same things."""
    same = " AND ".join(f"r.{key} = {newer}.{key}" for key in IDENTITY[kind])
    return f"{same} AND r.revision < {newer}.revision"


def replacements(connection: duckdb.DuckDBPyConnection, table: DeltaTable, kind: str) -> str | None:
    """A table of the newest revision of what the inbox replaces; None when that is nothing."""
    if not has_revisions(table):
        return None
    columns = [c for c in SCHEMAS[kind] if c.name in (*IDENTITY[kind], "revision")]
    corrections = rows_in(columns, files(table, [INBOX]))
    keys, name = ", ".join(IDENTITY[kind]), f"newer_{kind}"
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {keys}, max(revision) AS revision FROM ({corrections}) "
        f"WHERE revision > 0 GROUP BY ALL"
    )
    return name


def has_revisions(table: DeltaTable) -> bool:
    """Whether the inbox replaces anything; Delta's log says so without a look into files."""
    added = pa.table(table.get_add_actions(flatten=True))
    landed = added.filter(pc.equal(added["partition.bucket"], INBOX))
    return bool(landed.num_rows and pc.max(landed["max.revision"]).as_py())


def activity_columns(schema: Iterable[pa.Field]) -> list[str]:
    """The columns of activities that scoring sees, in the table's order."""
    return [column.name for column in schema if column.name not in BOOKKEEPING]


def without_form(column: str) -> str:
    """The field that a column, or its text form, belongs to."""
    return column.removesuffix(FOLDED).removesuffix(WORDS)


def attribute_kinds(schema: Iterable[pa.Field]) -> dict[str, list[str]]:
    """Attribute name -> the kinds in which it is kept, each in a column `<name>__<kind>`."""
    attributes: dict[str, list[str]] = defaultdict(list)
    for column in schema:
        if column.name not in _NO_ATTRIBUTES and not column.name.endswith((FOLDED, WORDS)):
            attribute, _, kind = column.name.rpartition("__")
            attributes[attribute].append(kind)
    return dict(attributes)


def attributes(schema: Iterable[pa.Field]) -> dict[str, str]:
    """Every attribute under its own name, texts with their text forms: column -> SQL.

    A source that changed its mind about an attribute's type has left it in several columns; such an
    attribute is read as text.
    """
    chosen = {}
    for name, kinds in attribute_kinds(schema).items():
        if len(kinds) == 1:
            chosen[name] = f'"{name}__{kinds[0]}"'
            if kinds == ["text"]:
                chosen |= {name + form: f'"{name}{form}"' for form in (FOLDED, WORDS)}
            continue
        others = [_as_text(f'"{name}__{kind}"', kind) for kind in kinds if kind != "text"]
        for form, column in (("", f"{name}__text"), (FOLDED, name + FOLDED), (WORDS, name + WORDS)):
            own = [f'"{column}"'] if "text" in kinds else []
            written = [f"' ' || {other} || ' '" for other in others] if form == WORDS else others
            chosen[name + form] = f"coalesce({', '.join([*own, *written])})"
    return chosen


def _as_text(value: str, kind: str) -> str:
    if kind != "number":
        return f"{value}::VARCHAR"
    whole = f"abs({value}) < {2**53} AND {value} = trunc({value})"
    return f"CASE WHEN {whole} THEN {value}::HUGEINT::VARCHAR ELSE {value}::VARCHAR END"
