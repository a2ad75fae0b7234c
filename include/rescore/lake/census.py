"""What the lake holds, in counts: for people who write rules and for `rescore status`."""

from __future__ import annotations

import pyarrow as pa
from duckdb import ColumnExpression, FunctionExpression

from rescore.lake.reading import FOLDED, WORDS, CurrentRows, attributes, connect
from rescore.lake.tables import ACTIVITIES, BOOKKEEPING, LEADS, SET_ASIDE, Storage, columns_of

_NOT_COMPARED = BOOKKEEPING | {"source", "lead", "known_at", "activity_id", "type", "occurred_at"}


def activity_types(storage: Storage) -> dict[str, int]:
    """Type -> activities."""
    with connect() as connection:
        table = storage.open(ACTIVITIES)
        columns = ("source", "activity_id", "revision", "type")
        rows = CurrentRows(connection, table, ACTIVITIES, columns).read()
        return dict(sorted(rows.aggregate("type, count(*)", "type").fetchall()))


def activity_fields(storage: Storage) -> dict[str, int]:
    """Field -> activities that have a value in it."""
    table = storage.open(ACTIVITIES)
    if table is None:
        return {}
    fields = [
        column.name
        for column in columns_of(table)
        if column.name not in _NOT_COMPARED and not column.name.endswith((FOLDED, WORDS))
    ]
    with connect() as connection:
        columns = ("source", "activity_id", "revision", *fields)
        rows = CurrentRows(connection, table, ACTIVITIES, columns).read()
        counts = [FunctionExpression("count", ColumnExpression(field)) for field in fields]
        return dict(zip(fields, rows.aggregate(counts).fetchall()[0], strict=True))


def lead_attributes(storage: Storage) -> dict[str, int]:
    """Attribute -> leads that have a value for it, merged-away leads included."""
    table = storage.open(LEADS)
    if table is None:
        return {}
    with connect() as connection:
        chosen = attributes(columns_of(table))
        rows = CurrentRows(connection, table, LEADS).read().select(*chosen)
        names = [column for column in rows.columns if not column.endswith((FOLDED, WORDS))]
        if not names:
            return {}
        counts = [FunctionExpression("count", ColumnExpression(name)) for name in names]
        return dict(zip(names, rows.aggregate(counts).fetchall()[0], strict=True))


def set_aside(storage: Storage) -> dict[str, int]:
    """Reason -> records."""
    table = storage.open(SET_ASIDE)
    if table is None:
        return {}
    with connect() as connection:
        rows = connection.from_arrow(pa.table(table.scan(columns=["reason"])))
        return dict(sorted(rows.aggregate("reason, count(*)", "reason").fetchall()))
