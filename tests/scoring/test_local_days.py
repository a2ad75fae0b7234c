"""Local days come from a zone's own offsets; the table made of them agrees with the zone everywhere."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rescore.scoring.local_days import LocalDays
from tests.scoring.random_cards import ZONES


@pytest.mark.parametrize(
    "name", [*ZONES, "America/Goose_Bay", "Antarctica/Troll", "Europe/Dublin", "Asia/Gaza"]
)
def test_the_table_of_offsets_agrees_with_the_zone(name):
    zone = ZoneInfo(name)
    days = LocalDays.until(datetime(2038, 1, 1, tzinfo=UTC), zone)
    starts = [change.since for change in days.changes]
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    while moment.year < 2038:
        at = bisect_right(starts, moment.replace(tzinfo=None)) - 1
        assert days.changes[at].offset == moment.astimezone(zone).utcoffset(), moment
        moment += timedelta(hours=17, minutes=31)
    for change in days.changes[1:]:
        since = change.since.replace(tzinfo=UTC)
        before = (since - timedelta(microseconds=1)).astimezone(zone).utcoffset()
        assert (since.astimezone(zone).utcoffset(), before != change.offset) == (change.offset, True)


def test_changes_after_the_scoring_time_are_left_out():
    days = LocalDays.until(datetime(2026, 7, 1, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert days.changes[-1].since == datetime(2026, 3, 29, 1)  # noqa: DTZ001  naive UTC
    assert days.today.isoformat() == "2026-07-01"


@pytest.mark.parametrize("year", [1, 1900, 1970, 9999])
def test_any_scoring_time_will_do(year):
    assert LocalDays.until(datetime(year, 6, 1, tzinfo=UTC), ZoneInfo("Europe/Berlin")).today.year == year
