"""Local calendar days of a zone, told from a table of its UTC offsets made here.

An engine's own time zone data is never asked, so engines cannot disagree about a day.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Times before 1970 use the offset the zone had then."""

_BEYOND = timedelta(days=2)
"""No clock change moves a later instant to an earlier day than this."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """From `since` (naive UTC) on, local time is UTC plus `offset`."""

    since: datetime
    offset: timedelta


@dataclass(frozen=True, slots=True)
class LocalDays:
    """The zone's offsets up to the scoring time, oldest first, and the local date of that time.

    `row_by_row`: each row says in a column `TODAY` at what date it is scored, none later than `today`.
    """

    changes: tuple[OffsetChange, ...]
    as_of: datetime  # naive UTC
    today: date
    row_by_row: bool = False

    @classmethod
    def until(cls, as_of: datetime, zone: ZoneInfo) -> "LocalDays":
        """The local days of `zone` that matter for scoring at `as_of` (aware)."""
        utc = as_of.astimezone(UTC)
        last = min(utc, datetime.max.replace(tzinfo=UTC) - 2 * _BEYOND) + _BEYOND
        known = _changes(zone, last.year)
        cut = bisect_right([change.since for change in known], last.replace(tzinfo=None))
        return cls(known[: max(cut, 1)], utc.replace(tzinfo=None), utc.astimezone(zone).date())

    def since(self, earliest: datetime | None) -> "LocalDays":
        """The local days that matter where no time is before this one (naive UTC; None: any may be)."""
        if earliest is None:
            return self
        before = bisect_right([change.since for change in self.changes], earliest) - 1
        return replace(self, changes=self.changes[max(before, 0) :])


@lru_cache(maxsize=64)
def _changes(zone: ZoneInfo, until_year: int) -> tuple[OffsetChange, ...]:
    """Every change of the zone's offset from 1970 to the end of a year; no zone changes twice a day."""
    offset = _offset(zone, _BEGIN)
    changes = [OffsetChange(_BEGIN.replace(tzinfo=None), offset)]
    end = datetime(min(until_year, 9998) + 1, 1, 1, tzinfo=UTC)
    before = _BEGIN
    while before < end:
        after = before + _DAY
        if (new := _offset(zone, after)) != offset:
            changes.append(OffsetChange(_instant(zone, before, after, new).replace(tzinfo=None), new))
            offset = new
        before = after
    return tuple(changes)


def _instant(zone: ZoneInfo, before: datetime, after: datetime, new: timedelta) -> datetime:
    """The first whole second between two times at which the new offset is in force."""
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if _offset(zone, before + timedelta(seconds=middle)) == new else (middle, high)
        )
    return before + timedelta(seconds=high)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101  a ZoneInfo always knows
    return offset
