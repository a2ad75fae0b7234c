"""Calls are counted by all workers together, and never pass a limit in any span of time."""

import json
import os
import subprocess
import sys
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore.ledger.outbox import budgets
from rescore.ledger.transaction import Ledger

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROJECT = Path(__file__).parents[2]


def busiest(moments: list[float], seconds: float) -> int:
    """The most calls in any half-open span of so many seconds."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, moment + seconds) - at for at, moment in enumerate(ordered))


def take(ledger, seconds_from_now, *, limit=190, seconds=10, name="crm", allowance="calls"):
    with ledger.transaction() as connection:
        return budgets.take(
            connection,
            name,
            allowance,
            limit=limit,
            seconds=seconds,
            now=NOW + timedelta(seconds=seconds_from_now),
        )


@given(limit=st.integers(1, 300), late=st.floats(0, 0.999), pauses=st.lists(st.floats(0, 0.3), max_size=60))
def test_no_span_holds_more_than_the_limit_however_the_calls_fall(limit, late, pauses):
    """The same arithmetic as `take`, without a database: a window used late, then as many calls as may be."""
    part, width = budgets.window(limit, 10)
    calls, now = [0.0, *[late * width] * (part - 1)], width
    for pause in [*pauses, *[0.0] * 30]:
        calls += [now] * part
        now += width * (1 + pause)
    assert busiest(calls, 10 - 1e-6) <= limit


@pytest.mark.parametrize(
    ("limit", "share"), [(1, 1.0), (5, 1.0), (19, 1.0), (25, 0.85), (190, 0.9), (1000, 0.9)]
)
def test_nearly_all_of_a_limit_can_be_used(limit, share):
    part, width = budgets.window(limit, 10)
    assert part / width >= share * limit / 10 - 1e-9


def test_calls_within_a_window_go_at_once_and_the_next_one_is_told_its_wait(ledger):
    part, width = budgets.window(190, 10)
    assert [take(ledger, 0) for _ in range(part)] == [0] * part
    assert take(ledger, 0.1) == pytest.approx(width - 0.1)
    assert take(ledger, width) == 0


def test_allowances_and_connections_do_not_take_from_each_other(ledger):
    assert take(ledger, 0, limit=1) == 0
    assert take(ledger, 0, limit=1) > 0
    assert take(ledger, 0, limit=1, allowance="searches") == 0
    assert take(ledger, 0, limit=1, name="another") == 0


class TestDay:
    """A day's quota is shared with other apps, and begins anew at the vendor's midnight."""

    @pytest.fixture
    def of_day(self, ledger):
        def of_day(limit, *, began_at=NOW, seen=None):
            with ledger.transaction() as connection:
                return budgets.take_of_day(connection, "crm", limit=limit, began_at=began_at, seen=seen)

        return of_day

    def test_our_part_of_it_is_all_we_take(self, of_day):
        assert [of_day(3) for _ in range(5)] == [True, True, True, False, False]

    def test_a_new_day_begins_anew(self, of_day):
        assert [of_day(1), of_day(1), of_day(1, began_at=NOW + timedelta(days=1))] == [True, False, True]

    def test_what_other_apps_used_counts_as_the_vendor_tells_it(self, of_day):
        assert of_day(100, seen=(99, 1000))
        assert not of_day(100, seen=(100, 1000))
        assert not of_day(100)  # still known by the next worker

    def test_a_vendor_that_lags_behind_does_not_hide_our_own_calls(self, of_day):
        assert [of_day(2, seen=(0, 1000)) for _ in range(3)] == [True, True, False]

    def test_where_it_stands_can_be_read(self, ledger, of_day):
        of_day(100, seen=(40, 1000))
        with ledger.reading() as connection:
            today = budgets.of_day(connection, "crm", began_at=NOW)
            tomorrow = budgets.of_day(connection, "crm", began_at=NOW + timedelta(days=1))
        assert (today.used, today.seen_used, today.ceiling) == (1, 40, 1000)
        assert (tomorrow.used, tomorrow.seen_used) == (0, None)


WORKER = """
import json, sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from rescore.connectors.pace import Rates
from rescore.delivery.shared_pace import SharedPace
from rescore.ledger.transaction import Ledger

url, calls = sys.argv[1], int(sys.argv[2])
made = []

def clock():
    made.append(datetime.now(UTC).timestamp())
    return datetime.fromtimestamp(made[-1], UTC)

rates = Rates({"calls": (40, 1.0)}, day=10**6, reserve=0.2, zone=ZoneInfo("UTC"), longest_wait=30)
pace = SharedPace(Ledger(url), "rescore_crm", rates, clock=clock)
went = []
for _ in range(calls):
    pace.wait("calls")
    went.append(made[-1])
print(json.dumps(went))
"""


def test_two_processes_together_stay_below_the_limit(ledger: Ledger):
    """Each alone would make 40 calls a second; the moments are those at which the calls were granted."""
    url = ledger.url.render_as_string(hide_password=False)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, "60"],
            env=os.environ | {"PYTHONPATH": "include"},
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    went = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert [len(one) for one in went] == [60, 60]
    assert busiest(went[0] + went[1], 0.999) <= 40
    with ledger.reading() as connection:
        day = budgets.of_day(connection, "rescore_crm", began_at=NOW - timedelta(days=365))
    assert day.used == 120
