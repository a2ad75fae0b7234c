"""Columns of a table as a batch of activities, whatever types the table keeps them in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from rescore.connectors.tabular.mapping import ActivityColumns, TextInColumn
from rescore.connectors.tabular.values import moment_of, number_of, text_of
from rescore.lake.records import BATCH, UNREADABLE

TIME = BATCH.field("occurred_at").type
IMPOSSIBLE = float("nan")
"""What stands for a value that is no number: the lake sets its activity aside."""

_CALENDAR = tuple(
    pa.scalar(datetime(*day, tzinfo=UTC), TIME) for day in ((1, 1, 2), (9999, 12, 30))
)  # databases know times beyond, such as `infinity`; a day less at each end, for any zone


def batch_of(rows: pa.Table, columns: ActivityColumns) -> pa.Table:
    """The activities of a table that has at least these columns, of any type.

    Naive times are UTC, a date is its first moment. A time that cannot be read is null, a value that is no
    number is not finite, a text that is none is `UNREADABLE`; the lake sets these aside with their reason.
    """
    made = {
        "activity_id": texts(rows[columns.id]),
        "lead_id": texts(rows[columns.lead]),
        "type": _said(rows, columns.type),
        "occurred_at": times(rows[columns.occurred_at]),
        "asset": texts(rows[columns.asset]) if columns.asset else _nothing(rows, pa.string()),
        "channel": _said(rows, columns.channel) if columns.channel else _nothing(rows, pa.string()),
        "value": numbers(rows[columns.value]) if columns.value else _nothing(rows, pa.float64()),
    }
    return pa.table(made | {name: texts(rows[column]) for name, column in columns.fields.items()})


def column_of(values: Sequence[Any]) -> pa.Array:
    """Python values as a column of their type; where they have several, as texts or `UNREADABLE`."""
    with suppress(pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        made = pa.array(values)
        if not (pa.types.is_binary(made.type) and any(isinstance(value, str) for value in values)):
            return made  # Arrow would make bytes of texts that stand beside some
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each value as a text, or `UNREADABLE`."""
    column = _plain(column)
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_large_string(column.type) or pa.types.is_integer(column.type):
        return column.cast(pa.string())
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "true", "false")
    return _each(column, _text, pa.string())


def times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each value as a moment."""
    column = _plain(column)
    if pa.types.is_null(column.type) or pa.types.is_integer(column.type):
        return _each(column, lambda _: None, TIME)
    if pa.types.is_timestamp(column.type):
        fine = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        moments = fine.cast(TIME) if column.type.tz else pc.assume_timezone(fine, "UTC")
        known = pc.and_(pc.greater_equal(moments, _CALENDAR[0]), pc.less_equal(moments, _CALENDAR[1]))
        return pc.if_else(known, moments, pa.scalar(None, TIME))
    if pa.types.is_date(column.type):
        return times(column.cast(pa.timestamp("s")))
    if pa.types.is_string(column.type):
        return _times_in_text(column)
    return _each(column, _moment, TIME)


def numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each value as a number."""
    column = _plain(column)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return column.cast(pa.float64(), safe=False)
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):  # all of one kind: at full speed
        return column.cast(pa.float64())
    return _each_distinct(column, _number, pa.float64())


def _times_in_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for kind in (pa.timestamp("us"), TIME):  # all naive, all with a zone
        with suppress(pa.ArrowInvalid):
            return times(column.cast(kind))
    return _each_distinct(column, _moment, TIME)


def _said(rows: pa.Table, said: str | TextInColumn) -> pa.ChunkedArray:
    if isinstance(said, str):
        return pa.chunked_array([pa.repeat(said, rows.num_rows)])
    told = texts(rows[said.property])
    if not said.values and said.otherwise is None:
        return told

    def ours(word: str) -> str:
        return word if word == UNREADABLE else said.values.get(word, said.otherwise or word)

    return _each_distinct(told, ours, pa.string())


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without what a driver wraps around its type, and in words that Arrow computes with."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        wrapped = [chunk.storage for chunk in column.chunks]
        named = str(kind)
        column = pa.chunked_array(wrapped, kind.storage_type)
        return _each(column, _uuid, pa.string()) if "uuid" in named else _plain(column)
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_large_string(kind) or str(kind) == "string_view":
        return column.cast(pa.string())
    return column


def _each(column: pa.ChunkedArray, read: Any, kind: pa.DataType) -> pa.ChunkedArray:
    values = [None if value is None else read(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, kind)])


def _each_distinct(column: pa.ChunkedArray, read: Any, kind: pa.DataType) -> pa.ChunkedArray:
    encoded = column.combine_chunks().dictionary_encode()
    found = [None if value is None else read(value) for value in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(found, kind).take(encoded.indices)])


def _nothing(rows: pa.Table, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows.num_rows, kind)])


def _uuid(value: bytes) -> str:
    return str(UUID(bytes=value))


def _text(value: Any) -> str:
    try:
        return text_of(value)
    except ValueError:
        return UNREADABLE


def _moment(value: Any) -> datetime | None:
    try:
        return moment_of(value)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    try:
        return None if value == "" else number_of(value)
    except ValueError:
        return IMPOSSIBLE
