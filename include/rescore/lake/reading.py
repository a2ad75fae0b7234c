"""The lake's facts as relations over its Parquet files."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from duckdb import (
    CaseExpression,
    CoalesceOperator,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
)

from rescore.lake.tables import BOOKKEEPING, INBOX, LEADS, PAST, SCHEMAS, columns_of, files
from rescore.scoring.facts import open_connection

IDENTITY: Mapping[str, tuple[str, ...]] = {"activities": ("source", "activity_id"), "leads": ("lead",)}
"""What makes two rows revisions of the same thing."""

FOLDED, WORDS = "__folded", "__words"
_SPACE = ConstantExpression(" ")

_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
}


def connect() -> duckdb.DuckDBPyConnection:
    """An empty in-process database that installs nothing and spills below the temporary folder."""
    connection = open_connection()
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET parquet_metadata_cache = true")  # a Parquet file of ours never changes
    connection.execute("SET temp_directory = ?", [str(Path(tempfile.gettempdir()) / "rescore-spill")])
    return connection


def keep(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Iterable[str]]
) -> duckdb.DuckDBPyRelation:
    """A temporary table of texts."""
    given = pa.table({column: pa.array(list(texts), pa.string()) for column, texts in columns.items()})
    connection.from_arrow(given).create(name)
    return connection.table(name)


def rows_in(
    connection: duckdb.DuckDBPyConnection, columns: Iterable[pa.Field], uris: list[str]
) -> duckdb.DuckDBPyRelation:
    """`columns` of Parquet files; a column that a file lacks, or all of them lack, is null."""
    nulls = {c.name: ConstantExpression(None).cast(_SQL_TYPES[c.type]).alias(c.name) for c in columns}
    if not uris:
        return connection.sql("SELECT 1 WHERE false").select(*nulls.values())
    # without its files' columns by name, DuckDB would take every file to look like the first
    rows = connection.read_parquet(uris, union_by_name=True, hive_partitioning=False)
    there = set(rows.columns)
    return rows.select(*(ColumnExpression(c) if c in there else null for c, null in nulls.items()))


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
        schema = SCHEMAS[kind] if table is None else columns_of(table)
        self._columns = [c for c in schema if c.name != "bucket" and (columns is None or c.name in columns)]
        self._newer = None if table is None else replacements(connection, table, kind)

    def read(self, buckets: Iterable[int] | None = None) -> duckdb.DuckDBPyRelation:
        """The whole inbox, and all buckets or those named."""
        if self._table is None:
            return rows_in(self._connection, self._columns, [])
        if buckets is None:
            partitions = {partition["bucket"] for partition in self._table.partitions()} - {PAST}
        else:
            partitions = {INBOX, *map(str, buckets)}
        return self._without_replaced(
            rows_in(self._connection, self._columns, files(self._table, partitions))
        )

    def at_home_in(self, buckets: range) -> duckdb.DuckDBPyRelation:
        """What belongs to these buckets: what is there, and what is in the inbox on its way there."""
        if self._table is None:
            return self.read()
        rows = rows_in(self._connection, self._columns, files(self._table, map(str, buckets)))
        if landed := files(self._table, [INBOX]):
            on_their_way = rows_in(self._connection, self._columns, landed)
            rows = rows.union(on_their_way.filter(at_home_in(buckets)))
        return self._without_replaced(rows)

    def _without_replaced(self, rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
        if self._newer is None:
            return rows
        return rows.set_alias("r").join(
            self._newer.set_alias("newer"), older_than_newer(self._kind), how="anti"
        )


def at_home_in(buckets: range) -> str:
    """The condition on rows that belong to one of these buckets, wherever they are now."""
    return f"home BETWEEN {buckets[0]} AND {buckets[-1]}"


def older_than_newer(kind: str) -> str:
    """The join condition between rows `r` and `newer` revisions of the same things."""
    same = " AND ".join(f"r.{key} = newer.{key}" for key in IDENTITY[kind])
    return f"{same} AND r.revision < newer.revision"


def replacements(
    connection: duckdb.DuckDBPyConnection, table: DeltaTable, kind: str
) -> duckdb.DuckDBPyRelation | None:
    """The newest revision of whatever rows in the inbox replace; None when they replace nothing."""
    if not _has_revisions(table):
        return None
    columns = [c for c in SCHEMAS[kind] if c.name in (*IDENTITY[kind], "revision")]
    corrections = rows_in(connection, columns, files(table, [INBOX])).filter("revision > 0")
    keys = ", ".join(IDENTITY[kind])
    name = f"replaced_{kind}"
    corrections.aggregate(f"{keys}, max(revision) AS revision", keys).create(name)
    return connection.table(name)


def _has_revisions(table: DeltaTable) -> bool:
    """Whether the inbox replaces anything; Delta's log says so without a look into files."""
    added = pa.table(table.get_add_actions(flatten=True))
    landed = added.filter(pc.equal(added["partition.bucket"], INBOX))
    return bool(landed.num_rows and pc.max(landed["max.revision"]).as_py())


def activity_columns(schema: Iterable[pa.Field]) -> list[str]:
    """The columns of activities that scoring sees, in the table's order."""
    return [column.name for column in schema if column.name not in BOOKKEEPING]


def attribute_kinds(schema: Iterable[pa.Field]) -> dict[str, list[str]]:
    """Attribute name -> the kinds in which it is kept, each in a column `<name>__<kind>`."""
    attributes: dict[str, list[str]] = defaultdict(list)
    for column in schema:
        if column.name not in SCHEMAS[LEADS].names and not column.name.endswith((FOLDED, WORDS)):
            attribute, _, kind = column.name.rpartition("__")
            attributes[attribute].append(kind)
    return dict(attributes)


def attributes(schema: Iterable[pa.Field]) -> list[Expression]:
    """Every attribute under its own name, texts with their text forms.

    A source that changed its mind about an attribute's type has left it in several columns; such an
    attribute is read as text.
    """
    chosen = []
    for name, kinds in attribute_kinds(schema).items():
        if len(kinds) == 1:
            chosen.append(ColumnExpression(f"{name}__{kinds[0]}").alias(name))
            if kinds == ["text"]:
                chosen += [ColumnExpression(name + FOLDED), ColumnExpression(name + WORDS)]
            continue
        others = [_as_text(f"{name}__{kind}", kind) for kind in kinds if kind != "text"]
        for form, column in (("", f"{name}__text"), (FOLDED, name + FOLDED), (WORDS, name + WORDS)):
            own = [ColumnExpression(column)] if "text" in kinds else []
            written = [_word_line(other) for other in others] if form == WORDS else others
            chosen.append(CoalesceOperator(*own, *written).alias(name + form))
    return chosen


def _as_text(column: str, kind: str) -> Expression:
    value = ColumnExpression(column)
    if kind != "number":
        return value.cast("VARCHAR")
    whole = (FunctionExpression("abs", value) < 2**53) & (value == FunctionExpression("trunc", value))
    return CaseExpression(whole, value.cast("HUGEINT").cast("VARCHAR")).otherwise(value.cast("VARCHAR"))


def _word_line(value: Expression) -> Expression:
    return CaseExpression(value.isnotnull(), FunctionExpression("concat", _SPACE, value, _SPACE))
