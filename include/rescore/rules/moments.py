"""Dates and times as people write them, in a scorecard's zone."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?")


def is_moment(text: str) -> bool:
    """Whether a text is a date or a time we count with: 2026-11-01, 2026-11-01T12:00:00Z."""
    if not (DATE.fullmatch(text) or TIME.fullmatch(text)):
        return False
    try:
        return 1970 <= datetime.fromisoformat(text).year < 2200
    except ValueError:
        return False


def start_of(text: str, zone: ZoneInfo) -> datetime:
    """A bare date is the start of that local day; a naive time is UTC. Aware UTC.

    Raises:
        ValueError: The text is no moment.
    """
    if DATE.fullmatch(text):
        return _midnight(date.fromisoformat(text), zone)
    if not TIME.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def end_of(text: str, zone: ZoneInfo) -> datetime:
    """A bare date is the last microsecond of that local day, as for `as_of`; otherwise like `start_of`."""
    if DATE.fullmatch(text):
        return _midnight(date.fromisoformat(text) + timedelta(days=1), zone) - timedelta(microseconds=1)
    return start_of(text, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
