"""What of a table is new: rows between two values of its cursor, in an order that can be taken up anywhere.

Between windows a stream's cursor is {"since": newest}: all rows of that very value are read again, because
more of them may have come. Within a window it is {"since", "end", "after": [value, id]}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    TableClause,
    and_,
    cast,
    column,
    func,
    or_,
    select,
    table,
)

from rescore.connectors.base import Cursor
from rescore.connectors.sql.mapping import FIVE_MINUTES, Overlap, ReadFrom
from rescore.errors import MappingInvalid

Value = Any
"""One value of a cursor column: a time, a date, a number or a text."""

_TIME_IN_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d(?::?\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Window:
    """Rows from `since` to `end`, both included, behind the row `after` by value and id.

    `since` None is the beginning, `end` None not known yet.
    """

    since: Value = None
    end: Value = None
    after: tuple[Value, Value] | None = None

    @classmethod
    def of(cls, cursor: Cursor | None) -> Window:
        """From a stream's cursor."""
        told = cursor or {}
        after = told.get("after")
        return cls(
            _read(told.get("since")),
            _read(told.get("end")),
            (_read(after[0]), _read(after[1])) if after else None,
        )

    @property
    def cursor(self) -> Cursor:
        """As the ledger keeps it."""
        told = {"since": _written(self.since), "end": _written(self.end)}
        if self.after is not None:
            told["after"] = [_written(value) for value in self.after]
        return {name: value for name, value in told.items() if value is not None}

    def up_to(self, newest: Value, until: datetime) -> Window:
        """The same with its end: the newest row there is, or `until` where the cursor is a time."""
        return replace(self, end=_earlier(newest, until))

    def passed(self) -> Window:
        """The one that begins where this ends; never before this one."""
        ended = self.since if self.since is not None and self.end < self.since else self.end
        return Window(ended)


def newest(read: ReadFrom) -> Select[Any]:
    """The query for the newest value of the cursor."""
    return select(func.max(column(read.cursor))).select_from(_table(read))


def without_cursor(read: ReadFrom, id_column: str) -> Select[Any]:
    """The query for the ids of rows that no cursor ever finds."""
    return select(column(id_column)).select_from(_table(read)).where(column(read.cursor).is_(None))


def rows_of(
    read: ReadFrom, id_column: str, columns: Iterable[str], window: Window, *, as_texts: Iterable[str] = ()
) -> Select[Any]:
    """The query for a window's rows in their order; the database makes texts of the columns `as_texts`."""
    texts = set(as_texts)
    names = dict.fromkeys([*columns, read.cursor, id_column])
    source = _table(read, names)  # named with its table: `id` alone would be sorted as the text made of it
    at, id_ = source.c[read.cursor], source.c[id_column]
    chosen: list[ColumnElement[Any]] = [
        cast(source.c[name], String).label(name) if name in texts else source.c[name] for name in names
    ]
    query = select(*chosen).select_from(source).where(at <= window.end)
    if window.after is not None:
        value, last = window.after
        query = query.where(and_(at >= value, or_(at > value, id_ > last)))
    elif window.since is not None:
        query = query.where(at >= before(window.since, read.overlap, read.table))
    return query.order_by(at, id_)


def before(value: Value, overlap: Overlap | None, where: str) -> Value:
    """So far before a value; five minutes before a time where nothing is said.

    Raises:
        MappingInvalid: A time from a number, or a number from a time.
    """
    if isinstance(value, datetime | date):
        span = FIVE_MINUTES if overlap is None else overlap
        if isinstance(span, timedelta):
            return value - span
    elif isinstance(value, str):
        if overlap is None or isinstance(overlap, timedelta):
            return _text_before(value, overlap or FIVE_MINUTES)
    elif overlap is None or not isinstance(overlap, timedelta):
        return value - (overlap or 0)
    kind = "number" if isinstance(overlap, timedelta) else "time"
    raise MappingInvalid(f"the cursor of `{where}` is a {kind}, and its `overlap` is not; write it as one")


def _table(read: ReadFrom, columns: Iterable[str] = ()) -> TableClause:
    schema, _, name = read.table.rpartition(".")
    return table(name, *map(column, columns), schema=schema or None)


def _earlier(newest: Value, until: datetime) -> Value:
    if isinstance(newest, datetime):
        return min(newest, until if newest.tzinfo else until.astimezone(UTC).replace(tzinfo=None))
    if isinstance(newest, date):
        return min(newest, until.astimezone(UTC).date())
    if isinstance(newest, str) and (found := _TIME_IN_TEXT.fullmatch(newest)):
        return min(newest, until.astimezone(_zone(newest, found)).strftime(f"%Y-%m-%d{found[2]}%H:%M:%S"))
    return newest


def _text_before(value: str, span: timedelta) -> str:
    """A time kept as text is compared as text: the same spelling, cut off after its seconds."""
    found = _TIME_IN_TEXT.fullmatch(value)
    if found is None:
        return value
    moment = datetime.fromisoformat(f"{found[1]} {found[3]}")
    return (moment - span).strftime(f"%Y-%m-%d{found[2]}%H:%M:%S")


def _zone(value: str, found: re.Match[str]) -> Any:
    return datetime.fromisoformat(value).tzinfo if found[5] else UTC


def _written(value: Value) -> Any:
    if isinstance(value, datetime | date):
        return {"time" if isinstance(value, datetime) else "date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"number": str(value)}
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _read(told: Any) -> Value:
    match told:
        case {"time": text}:
            return datetime.fromisoformat(text)
        case {"date": text}:
            return date.fromisoformat(text)
        case {"number": text}:
            return Decimal(text)
    return told
