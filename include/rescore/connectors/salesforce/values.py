"""Field values as Salesforce writes them in JSON, read as what the mapping says they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from rescore.connectors.values import decimal_number
from rescore.lake.records import AttributeValue
from rescore.mapping import AttributeType

FLAGS = {"true": True, "false": False}
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
DATE_ONLY = 10


def at_path(row: Mapping[str, Any], path: str) -> Any:
    """`Account.Industry` of a row, in whatever case; None where a record on the way is not there."""
    value: Any = row
    for name in path.split("."):
        value = _named(value, name) if isinstance(value, Mapping) else None
    return value


def _named(record: Mapping[str, Any], name: str) -> Any:
    """Salesforce answers with its own spelling of a field, whatever the query's was."""
    if name in record:
        return record[name]
    return next((value for known, value in record.items() if known.lower() == name.lower()), None)


def text_of(value: Any) -> str | None:
    """A value as one text: `true`, `12` for 12.0; an empty one is None.

    Raises:
        ValueError: It is a structure.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, str | int | float):
        raise ValueError("not a single value")
    return str(value)


def read_plain(value: Any, kind: AttributeType) -> AttributeValue:
    """One field's value, which is not empty.

    Raises:
        ValueError: It is not what the mapping says.
    """
    text = text_of(value)
    if text is None or kind == "text":
        return text
    if kind == "flag":
        if text.lower() not in FLAGS:
            raise ValueError("neither true nor false")
        return FLAGS[text.lower()]
    if kind == "number":
        return decimal_number(text)
    return date.fromisoformat(text[:DATE_ONLY]) if kind == "date" else read_moment(text)


def read_moment(value: Any) -> datetime:
    """`2026-11-01T10:00:00.000+0000`; aware UTC comes back.

    Raises:
        ValueError: It is none, or beyond the years 1 to 9999.
    """
    try:
        moment = datetime.fromisoformat(str(value).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def read_moment_or_day(value: Any, zone: ZoneInfo) -> datetime:
    """The same; a date without a time of day is noon in the zone, which keeps it on its day elsewhere too.

    Raises:
        ValueError: As `read_moment`.
    """
    text = str(value).strip()
    if len(text) == DATE_ONLY:
        return datetime.combine(date.fromisoformat(text), time(12), zone).astimezone(UTC)
    return read_moment(text)


def literal(moment: datetime) -> str:
    """As SOQL, and Salesforce's JSON, write a moment: UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_id(value: Any) -> bool:
    """Whether it has the form of a record id; nothing else ever gets into a query."""
    return isinstance(value, str) and ID.fullmatch(value) is not None
