"""One pace for all workers of a CRM: waits are short or errors, a day's quota has a reserve and an order."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rescore.connectors.connection import Connection
from rescore.connectors.hubspot.client import Client
from rescore.connectors.hubspot.limits import Limits
from rescore.connectors.pace import Rates
from rescore.delivery.shared_pace import SharedPace
from rescore.errors import CrmRateLimited, SettingsIncomplete
from rescore.ledger.outbox import budgets
from tests.connectors.pretend_server import PretendServer, Reply

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


class Clock:
    """Moments that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = NOON
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(ledger, clock):
    """A worker's pace; each call makes another worker's."""

    def pace(*, calls=5, day=1000, reserve=0.2, longest_wait=30.0) -> SharedPace:
        allowances = {"calls": (calls, 10.0), "searches": (1, 10.0)}
        rates = Rates(allowances, day=day, reserve=reserve, zone=BERLIN, longest_wait=longest_wait)
        return SharedPace(ledger, "hubspot", rates, clock=clock, sleep=clock.sleep)

    return pace


def test_workers_wait_for_each_other(pace, clock):
    one, other = pace(), pace()
    one.wait("calls")
    other.wait("calls")
    one.wait("calls")
    assert clock.slept == [2.0, 2.0]


def test_a_search_counts_against_both_allowances(pace, clock):
    pace().wait("calls", "searches")
    pace().wait("calls", "searches")
    assert clock.now - NOON == timedelta(seconds=10)


def test_a_wait_that_would_be_too_long_is_an_error_that_says_how_long(pace):
    pace(calls=1).wait("calls")
    with pytest.raises(CrmRateLimited, match="all workers together") as caught:
        pace(calls=1, longest_wait=5).wait("calls")
    assert caught.value.retry_after == 10


def test_the_reserve_of_a_day_is_left_to_other_apps_until_midnight_in_the_accounts_zone(pace, clock):
    worker = pace(day=10, calls=10**6)
    for _ in range(8):
        worker.wait("calls")
        clock.now += timedelta(seconds=1)
    with pytest.raises(CrmRateLimited, match="the rest is for other apps") as caught:
        worker.wait("calls")
    midnight = datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert clock.now + timedelta(seconds=caught.value.retry_after) == midnight
    clock.now = midnight
    worker.wait("calls")


@pytest.mark.parametrize(
    ("used", "room"),
    [(0, {1, 2, 3}), (599, {1, 2, 3}), (600, {1, 2}), (719, {1, 2}), (720, {1}), (799, {1}), (800, set())],
)
def test_lower_priorities_stop_earlier(pace, used, room):
    worker = pace()
    worker.seen(used, 1000)
    if room:
        worker.wait("calls")
    else:
        with pytest.raises(CrmRateLimited):
            worker.wait("calls")
    worker.seen(used, 1000)
    assert {priority for priority in (1, 2, 3) if not pace().room(priority)} == room


def test_a_ceiling_that_the_vendor_names_counts_when_it_is_lower(pace):
    worker = pace(day=1000)
    worker.seen(39, 50)
    worker.wait("calls")
    worker.seen(40, 50)
    with pytest.raises(CrmRateLimited):
        worker.wait("calls")


def test_a_day_of_25_hours_ends_at_its_own_midnight():
    rates = Rates({}, day=1, reserve=0.2, zone=BERLIN, longest_wait=1)
    began, ends = rates.day_of(datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert began.astimezone(UTC) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert ends.astimezone(UTC) == datetime(2026, 10, 25, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ceiling", "left", "seen"),
    [
        pytest.param("650000", "600000", 50_000, id="said"),
        pytest.param(None, None, None, id="not said"),
        pytest.param("650000", "many", None, id="unreadable"),
        pytest.param("5", "9", None, id="absurd"),
    ],
)
def test_what_hubspot_says_of_the_day_is_noted(ledger, pace, ceiling, left, seen):
    said = {"X-HubSpot-RateLimit-Daily": ceiling, "X-HubSpot-RateLimit-Daily-Remaining": left}
    headers = {name: value for name, value in said.items() if value}
    with PretendServer(lambda asked: Reply(headers=headers)) as server:
        client = Client(server.url, "t", Limits(), pace=pace(day=650_000))
        client.get("/x")
        client.get("/x")  # with which it is written down
    with ledger.reading() as connection:
        day = budgets.of_day(connection, "hubspot", began_at=NOON - timedelta(days=1))
    assert (day.used, day.seen_used) == (2, seen)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"reserve": 1}, "`reserve` in the extra of the Connection `crm` is a share"),
        ({"reserve": -1}, "`reserve` in the extra of the Connection `crm` must be above zero"),
        ({"day": "all"}, "`day` in the extra of the Connection `crm` must be above zero"),
        ({"zone": "Berlin"}, "`zone` in the extra of the Connection `crm` is no time zone"),
        ({"zone": "../../etc/passwd"}, "`zone` in the extra of the Connection `crm` is no time zone"),
        ({"zone": 3}, "`zone` in the extra of the Connection `crm` is no time zone"),
    ],
    ids=str,
)
def test_a_limit_that_is_none_is_refused(extra, says):
    with pytest.raises(SettingsIncomplete, match=says):
        Limits.from_extra(Connection("crm", "https://crm", "t", extra))


def test_limits_come_from_the_connection():
    extra = {"day": 500_000, "reserve": "0.3", "zone": "Europe/Berlin", "calls": 100}
    rates = Limits.from_extra(Connection("crm", "https://crm", "t", extra)).rates
    assert (rates.ours(), rates.zone, rates.allowances["calls"]) == (350_000, BERLIN, (100, 11.0))
