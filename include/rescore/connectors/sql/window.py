"""What of a table is new: rows between two values of its cursor, in an order that can be taken up anywhere.

Between windows a stream's cursor is {"since": newest}: the newest value that was seen, never a clock. All
rows of that very value are read again, because more of them may have come. Within a window it is {"since",
"end", "after": [value, id]}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    TableClause,
    and_,
    case,
    cast,
    column,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.types import TypeEngine

from rescore.connectors.base import Cursor
from rescore.connectors.sql.cursors import CursorColumn, Value, before
from rescore.connectors.sql.mapping import ReadFrom, SqlActivities, SqlLeads


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

    def behind(self, value: Value, id_: Value) -> Window:
        """What is left of it behind a row."""
        return Window(self.since, self.end, (value, id_))

    def passed(self) -> Window:
        """The one that begins where this ends; never before this one."""
        ended = self.since if self.since is not None and self.end < self.since else self.end
        return Window(ended)


def newest(read: ReadFrom, at: CursorColumn, present: Value = None) -> Select[Any]:
    """The query for the newest value of the cursor, up to the present where there is one."""
    value: ColumnElement[Any] = column(read.cursor)
    query = select(func.max(value)).select_from(_table(read)).where(at.usable(value))
    return query if present is None else query.where(value <= present)


def not_found(read: SqlLeads | SqlActivities, at: CursorColumn) -> Select[Any]:
    """The query for rows that no cursor ever finds: the `id`, and whether their cursor is `missing`."""
    source = _table(read, [read.id, read.cursor])
    value = source.c[read.cursor]
    missing = case((value.is_(None), 1), else_=0).label("missing")
    return select(source.c[read.id].label("id"), missing).where(at.unusable(value))


def rows_of(
    read: SqlLeads | SqlActivities, kind: CursorColumn, window: Window, casts: Mapping[str, TypeEngine[Any]]
) -> Select[Any]:
    """The query for a window's rows in their order; the database casts columns to the types of `casts`."""
    names = dict.fromkeys([*read.columns, read.cursor, read.id])
    source = _table(read, names)  # named with its table: `id` alone would be sorted as the text made of it
    at, id_ = source.c[read.cursor], source.c[read.id]
    chosen: list[ColumnElement[Any]] = [
        cast(source.c[name], casts[name]).label(name) if name in casts else source.c[name] for name in names
    ]
    query = select(*chosen).select_from(source).where(kind.usable(at), at <= window.end)
    if window.after is not None:
        value, last = window.after
        query = query.where(and_(at >= value, or_(at > value, id_ > last)))
    elif window.since is not None:
        query = query.where(at >= before(window.since, read.overlap))
    return query.order_by(at, id_)


def _table(read: ReadFrom, columns: Iterable[str] = ()) -> TableClause:
    schema, _, name = read.table.rpartition(".")
    return table(name, *map(column, columns), schema=schema or None)


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
