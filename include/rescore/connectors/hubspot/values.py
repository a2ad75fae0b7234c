"""Property values as HubSpot writes them, all of them texts, read as what the mapping says they are."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rescore.connectors.values import decimal_number
from rescore.lake.records import AttributeValue
from rescore.mapping import AttributeType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS = re.compile(r"-?[0-9]{1,15}")
FLAGS = {"true": True, "false": False}


def read_plain(value: Any, kind: AttributeType) -> AttributeValue:
    """One property value, which is not empty.

    Raises:
        ValueError: It is not what the mapping says.
    """
    if not isinstance(value, str | int | float):
        raise ValueError("not a single value")
    text = str(value)
    if kind == "text":
        return text
    if kind == "flag":
        return read_flag(text)
    if kind == "number":
        return decimal_number(text)
    return read_date(text) if kind == "date" else read_moment(text)


def read_flag(text: str) -> bool:
    """`true` or `false`, in any case."""
    try:
        return FLAGS[text.strip().lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


def read_date(text: str) -> date:
    """`2026-11-01`, or the milliseconds of its midnight in UTC."""
    text = text.strip()
    return date.fromisoformat(text) if len(text) == 10 and "-" in text else read_moment(text).date()


def read_moment(value: Any) -> datetime:
    """ISO 8601 (naive is UTC) or milliseconds since 1970, as text or number; aware UTC comes back.

    Raises:
        ValueError: Neither, or beyond the years 1 to 9999.
    """
    text = str(value).strip()
    try:
        if MILLISECONDS.fullmatch(text):
            return EPOCH + timedelta(milliseconds=int(text))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def milliseconds(moment: datetime) -> int:
    """Since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def iso(moment: datetime) -> str:
    """As HubSpot writes dates: UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
