"""Which columns the facts have and of what type: it decides how the query reads each field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import duckdb
from sqlglot import exp

from rescore.scoring.sql import DIALECT, column, table

FOLDED, WORDS = "__folded", "__words"
"""Companions of a text column `f`: `f__folded` and `f__words`, the forms in which texts are compared."""

AGE, AS_DATE, AS_MOMENT, AS_DOMAIN = "age in days", " as a date", " as a moment", " as a domain"
"""What the query calls an activity's age, and a field read as a date, a time of day or a domain; columns
of the facts that are named like that are no fields."""

BEFORE = "before restart"
"""What the query calls whether an activity happened before its lead's restart."""

TODAY = "local today"
"""A column that both relations have when their rows are scored at moments of their own: the local date."""

MOMENT = "moment's name"
"""A column that leads have too then: accounts are told apart by it, as leads are by their keys."""

QUARANTINE = "quarantine: "
"""What the names begin with of the columns that say which activities entries of the quarantine take."""

PERSON = "person of the account"
"""What the query calls the lead of an activity, where `lead` is its account."""


class ColumnType(StrEnum):
    """The types a field can have; whatever else a column holds can only be asked whether it exists."""

    TEXT = "text"
    INTEGER = "integer"
    DOUBLE = "double"
    DECIMAL = "decimal"
    FLAG = "flag"
    DATE = "date"
    TIMESTAMP = "timestamp"  # naive UTC
    ZONED = "zoned timestamp"  # made naive UTC on the way in
    OTHER = "other"


_NAMES = {
    "FLOAT": ColumnType.DOUBLE,
    "DOUBLE": ColumnType.DOUBLE,
    "BOOLEAN": ColumnType.FLAG,
    "DATE": ColumnType.DATE,
    **dict.fromkeys(["VARCHAR", "ENUM", "UUID", "TIME"], ColumnType.TEXT),
    **dict.fromkeys(["TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"], ColumnType.ZONED),
    **dict.fromkeys(["TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"], ColumnType.TIMESTAMP),
    **dict.fromkeys(["TINYINT", "SMALLINT", "INTEGER", "BIGINT"], ColumnType.INTEGER),
    **dict.fromkeys(["UTINYINT", "USMALLINT", "UINTEGER"], ColumnType.INTEGER),
    **dict.fromkeys(["DECIMAL", "UBIGINT", "HUGEINT", "UHUGEINT"], ColumnType.DECIMAL),
}
_HELD = {"BLOB": "bytes", "STRUCT": "records", "MAP": "maps", "INTERVAL": "spans of time"}


@dataclass(frozen=True)
class Columns:
    """Field name -> type, for each of the two relations; names are told apart by case.

    `earliest`: no activity happened before (naive UTC), where that is known.
    """

    activities: Mapping[str, ColumnType]
    leads: Mapping[str, ColumnType]
    earliest: datetime | None = None

    @classmethod
    def of(
        cls, connection: duckdb.DuckDBPyConnection, *, activities: str, leads: str, kept: bool = False
    ) -> "Columns":
        """The columns of two relations on a connection; `kept` says that a look into them costs nothing."""
        earliest = None
        if kept:
            first = exp.select(exp.Min(this=column("occurred_at", activities))).from_(table(activities))
            [(earliest,)] = connection.execute(first.sql(DIALECT)).fetchall()
        return cls(types_of(connection, activities), types_of(connection, leads), earliest)


def types_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, ColumnType]:
    """The type of each column of one relation."""
    described = connection.sql(exp.select("*").from_(table(relation)).sql(DIALECT))
    types = zip(described.columns, map(str, described.types), strict=True)
    return {name: _column_type(type_name) for name, type_name in types if not _is_ours(name)}


def odd_columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """What the columns hold that can only be asked whether they exist: name -> "lists"."""
    described = connection.sql(exp.select("*").from_(table(relation)).sql(DIALECT))
    types = zip(described.columns, map(str, described.types), strict=True)
    return {name: _held(kind) for name, kind in types if _column_type(kind) is ColumnType.OTHER}


def _held(name: str) -> str:
    return "lists" if name.endswith("]") else _HELD.get(name.partition("(")[0], f"values of type {name}")


def _column_type(name: str) -> ColumnType:
    if name.endswith("]"):
        return ColumnType.OTHER  # a list, of whatever
    return _NAMES.get(name.partition("(")[0], ColumnType.OTHER)


def _is_ours(name: str) -> bool:
    folded = name.casefold()
    named_by_us = folded.startswith(QUARANTINE) or folded.endswith((AS_DATE, AS_MOMENT, AS_DOMAIN))
    return named_by_us or folded in (AGE, BEFORE, PERSON)
