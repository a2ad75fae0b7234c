"""May an automation's deliveries go out now, and if not, when?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rescore.rules.actions import Deliver

WHOLE_DAY = (0, 24 * 60)


def opening(deliver: Deliver, now: datetime) -> datetime | None:
    """When deliveries may go out next, in UTC; None when they may now.

    The hours are those of the wall clock in the zone of `deliver`, on days with a change of the clock too.
    """
    zone = ZoneInfo(deliver.timezone)
    today = now.astimezone(zone).date()
    begin, end = deliver.hours or WHOLE_DAY
    for ahead in range(8):
        day = today + timedelta(days=ahead)
        if day.weekday() not in deliver.days:
            continue
        if now < _at(day, end, zone):
            opens = _at(day, begin, zone)
            return None if opens <= now else opens
    raise AssertionError("a week has every day of the week")


def _at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, rest = divmod(minutes, 24 * 60)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return wall.astimezone(UTC)
