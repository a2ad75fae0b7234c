"""Times and local days: a text becomes a moment, a moment becomes a calendar day of the scorecard's zone."""

from datetime import timedelta

from sqlglot import exp

from rescore.scoring.columns import TODAY, ColumnType
from rescore.scoring.local_days import LocalDays
from rescore.scoring.sql import (
    Sql,
    call,
    case,
    cast,
    column,
    concatenated,
    day,
    number,
    own,
    text,
    timestamp,
    try_cast,
)

DATE = r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
DATE_TIME = (
    rf"({DATE})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:\.([0-9]+))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?"
)
"""Texts that count as dates and times, with spaces and tabs around them; a time without offset is UTC."""

BLANKS = " \t"


def moment(value: Sql, column_type: ColumnType | None) -> Sql:
    """A naive UTC timestamp; a bare date is its midnight in UTC."""
    match column_type:
        case ColumnType.TIMESTAMP | ColumnType.DATE:
            return cast(value, "TIMESTAMP")
        case ColumnType.ZONED:  # the connection's zone is UTC; of nanoseconds there is no direct way
            return cast(cast(value, "TIMESTAMPTZ"), "TIMESTAMP")
        case ColumnType.TEXT:
            return case((_is_date(value), cast(_date(value), "TIMESTAMP")), (_is_time(value), _time(value)))
    return cast(exp.null(), "TIMESTAMP")


def local_date(moment: Sql, days: LocalDays) -> Sql:
    """The local date of a naive UTC timestamp, by the zone's own offsets, the newest tried first."""
    first, *later = days.changes
    offset = case(
        *((exp.GTE(this=own(moment), expression=timestamp(c.since)), _micros(c.offset)) for c in later[::-1]),
        otherwise=_micros(first.offset),
    )
    if not later and not first.offset:
        return cast(moment, "DATE")
    shifted = exp.Add(this=call("EPOCH_US", moment), expression=offset)
    return cast(call("MAKE_TIMESTAMP", shifted), "DATE")


def local_date_in_text(value: Sql, moment: Sql, days: LocalDays) -> Sql:
    """The local date that a text names: as it stands, or that of its `moment` when it has a time."""
    return case((_is_date(value), _date(value)), otherwise=local_date(moment, days))


def age(date: Sql, days: LocalDays) -> Sql:
    """Whole calendar days from a local date to the local date of scoring; negative in the future."""
    today: Sql = day(days.today)
    if days.row_by_row and (of_row := date.find(exp.Column)) is not None:
        today = column(TODAY, of_row.table)
    return exp.Sub(this=today, expression=own(date))


def trimmed(value: Sql) -> Sql:
    """The text without the blanks around it."""
    return call("TRIM", value, text(BLANKS))


def matches(value: Sql, pattern: str) -> Sql:
    """Whether the whole text has a form."""
    return call("REGEXP_FULL_MATCH", value, text(pattern))


def _is_date(value: Sql) -> Sql:
    return matches(trimmed(value), DATE)


def _date(value: Sql) -> Sql:
    return try_cast(trimmed(value), "DATE")


def _is_time(value: Sql) -> Sql:
    return matches(trimmed(value), DATE_TIME)


def _time(value: Sql) -> Sql:
    def part(index: int) -> Sql:
        return call("REGEXP_EXTRACT", trimmed(value), text(DATE_TIME), number(index))

    clock = call("EPOCH_US", try_cast(concatenated(part(1), text(" "), part(2)), "TIMESTAMP"))
    # what is finer than a microsecond is cut off
    fraction = cast(call("RPAD", part(3), number(6), text("0")), "BIGINT")
    hours, minutes = (exp.paren(try_cast(part(index), "BIGINT")) for index in (5, 6))
    ahead = exp.paren(hours * number(3_600_000_000) + minutes * number(60_000_000))
    plus, minus = part(4).eq(text("+")), part(4).eq(text("-"))
    offset = case((plus, exp.Neg(this=ahead)), (minus, ahead.copy()), otherwise=number(0))
    return call("MAKE_TIMESTAMP", clock + fraction + offset)


def _micros(offset: timedelta) -> Sql:
    return number(offset // timedelta(microseconds=1))
