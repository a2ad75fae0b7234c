"""Which values of a cursor column say when their row came, and which of those are of the future.

Databases know times that no calendar has, such as `infinity`, and numbers that are none. SQLite keeps
anything in any column. Nobody can say which rows come behind such a cursor, so theirs are set aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, and_, cast, func, literal_column, not_, or_, true
from sqlalchemy.types import Date, DateTime, Integer, Numeric, TypeEngine
from sqlalchemy.types import String as TextType

from rescore.connectors.sql.mapping import FIVE_MINUTES, ReadFrom
from rescore.errors import MappingInvalid

Value = Any
"""One value of a cursor column: a time, a date, a number or a text."""

Kind = Literal["zoned", "naive", "day", "text", "number", "number of any kind", "other"]
"""What a column holds; `text` are times written as such, and SQLite has numbers and texts in any column."""

TIMES = ("zoned", "naive", "day", "text")
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""A day less at each end of the calendar, for any zone."""

_LOOKS_LIKE_TIME = ("1___-__-__%", "2___-__-__%")


@dataclass(frozen=True, slots=True)
class CursorColumn:
    """The column that a mapping names as `cursor`, as its database has it.

    `loose` where more than that may be in it: `infinity`, years before Christ, numbers that are none, and in
    SQLite anything at all.
    """

    kind: Kind
    loose: bool = False

    @classmethod
    def declared(cls, declared: TypeEngine[Any], *, loose: bool) -> CursorColumn:
        """By the type of a column of a database that holds its columns to their types."""
        if isinstance(declared, DateTime):
            return cls("zoned" if declared.timezone else "naive", loose)
        if isinstance(declared, Date):
            return cls("day", loose)
        if isinstance(declared, TextType):
            return cls("text")
        if isinstance(declared, Integer | Numeric):
            return cls("number", loose and isinstance(declared, Numeric))
        return cls("other")

    @property
    def is_time(self) -> bool:
        """Whether there is a future in it."""
        return self.kind in TIMES

    def usable(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition for a value that is there to be one; never null for such a value."""
        match self.kind:
            case "text":
                looks = or_(*map(cast(at, String).like, _LOOKS_LIKE_TIME))
                return and_(func.typeof(at) == "text", looks) if self.loose else looks
            case "number of any kind":
                return func.typeof(at).in_(("integer", "real"))
            case "number" if self.loose:  # in PostgreSQL NaN is above all numbers
                return at.between(literal_column("-1e308"), literal_column("1e308"))
            case "zoned" | "naive" | "day" if self.loose:
                return at.between(self.present(_FIRST), self.present(_LAST))
        return true()

    def unusable(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition for a row that no cursor ever finds."""
        return or_(at.is_(None), not_(self.usable(at)))

    def understands(self, value: Value) -> bool:
        """Whether a value that was kept is of this column still; its type may have changed."""
        if self.kind == "other":
            return True
        if self.kind == "text":
            return isinstance(value, str)
        if self.kind in ("zoned", "naive"):
            is_naive = isinstance(value, datetime) and value.tzinfo is None
            return isinstance(value, datetime) and (not self.loose or is_naive == (self.kind == "naive"))
        if self.kind == "day":
            return isinstance(value, date) and not isinstance(value, datetime)
        return isinstance(value, int | float | Decimal)

    def present(self, until: datetime, like: str = "") -> Value:
        """The moment in the column's own terms; a text is spelt as the one that is given."""
        match self.kind:
            case "zoned":
                return until
            case "naive":
                return until.astimezone(UTC).replace(tzinfo=None)
            case "day":
                return until.astimezone(UTC).date()
        if len(like) <= len("2026-11-01"):
            return f"{until.astimezone(UTC):%Y-%m-%d}"
        return until.astimezone(_zone(like)).strftime(f"%Y-%m-%d{like[10]}%H:%M:%S")

    def check_overlap(self, read: ReadFrom, *, is_empty: bool) -> None:
        """Refuse one in other terms than the column's; SQLite does not tell what an empty one will hold.

        Raises:
            MappingInvalid: A time for numbers, or a number for times.
        """
        untold = self.kind == "other" or (self.kind == "number of any kind" and is_empty)
        if read.overlap is None or untold or isinstance(read.overlap, timedelta) == self.is_time:
            return
        is_, way = ("a time", "`10m`") if self.is_time else ("a number", "`1000`")
        other = "a number" if self.is_time else "a time"
        raise MappingInvalid(
            f"the cursor `{read.cursor}` of `{read.table}` is {is_}, and its `overlap` is {other}; write "
            f"{is_} such as {way}, or take it out"
        )


def before(value: Value, overlap: timedelta | int | None) -> Value:
    """So far before a value, in terms that fit it; five minutes before a time where nothing is said."""
    if isinstance(value, datetime | date | str):
        span = overlap if isinstance(overlap, timedelta) else FIVE_MINUTES
        return _text_before(value, span) if isinstance(value, str) else value - span
    return value - (overlap or 0)


def _text_before(value: str, span: timedelta) -> str:
    """A time kept as text is compared as text: the same spelling, cut off after its seconds."""
    try:
        moment = datetime.fromisoformat(value[:19])
    except ValueError:  # it has its place among the others, and no distance to them
        return value
    return (moment - span).strftime("%Y-%m-%d" if len(value) == 10 else f"%Y-%m-%d{value[10]}%H:%M:%S")


def _zone(value: str) -> Any:
    """The one that a text names; UTC where it names none, or is no time after all."""
    try:
        return datetime.fromisoformat(value).tzinfo or UTC
    except ValueError:
        return UTC
