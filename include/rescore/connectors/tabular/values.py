"""Single values of a table, from a database's types or from text, as what the mapping says they are."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from rescore.lake.records import AttributeValue
from rescore.mapping import AttributeType

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True}
FLAGS |= {"false": False, "f": False, "no": False, "n": False, "0": False}


class Beyond:
    """A time that a database or a file has and no calendar: `infinity`, or years before Christ."""

    def __repr__(self) -> str:
        return "beyond the calendar"


BEYOND = Beyond()


def read_value(value: Any, kind: AttributeType) -> AttributeValue:
    """One value that is there.

    Raises:
        ValueError: It is not what the mapping says.
    """
    match kind:
        case "text":
            return text_of(value)
        case "number":
            return number_of(value)
        case "flag":
            return flag_of(value)
        case "date":
            return moment_of(value).date()
    return moment_of(value)


def text_of(value: Any) -> str:
    """As a person would write it: whole numbers without decimals, flags in small letters, times in ISO 8601.

    Raises:
        ValueError: It is a structure, a time beyond the calendar, or a number that is none.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not a finite number")
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | dict | tuple | set | bytes | memoryview):
        raise ValueError("not a single value")
    if isinstance(value, Beyond):
        raise ValueError("not a time that anybody can count with")
    return str(value)


def number_of(value: Any) -> float:
    """A finite number.

    Raises:
        ValueError: It is none, or a text that is not a decimal number.
    """
    if isinstance(value, str) and not NUMBER.fullmatch(value := value.strip()):
        raise ValueError("not a number")
    if not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a number")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("beyond every number") from None
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def flag_of(value: Any) -> bool:
    """True or false, in one of the spellings that databases and exports have.

    Raises:
        ValueError: Neither.
    """
    if isinstance(value, bool):
        return value
    try:
        return FLAGS[_word(value)]
    except KeyError:
        raise ValueError("neither true nor false") from None


def _word(value: Any) -> str:
    """In small letters; programs that know no flag without a value write `1.0` and `0.0`."""
    word = text_of(value).strip().lower()
    return text_of(float(word)) if NUMBER.fullmatch(word) else word


def moment_of(value: Any) -> datetime:
    """An aware moment in UTC; a naive one is UTC, a date its first moment.

    Raises:
        ValueError: It is no time; a number could be seconds or milliseconds, so it is none.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        try:
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:
            raise ValueError("beyond the calendar") from None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError("not a time")


def says_yes(value: Any) -> bool:
    """Anything but nothing and a clear no: whom we are not sure of is not profiled."""
    try:
        return value is not None and flag_of(value)
    except ValueError:
        return str(value).strip() != ""
