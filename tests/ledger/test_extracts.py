"""What an extract can be expected to bring, by the same hours of earlier weeks."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.ledger import tables
from rescore.ledger.scores import extracts, streams
from rescore.policy.limits import ExtractMeasure

MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def read(ledger, *, until, rows, stream="activities"):
    with ledger.transaction() as connection:
        lease = streams.take_fence(connection, "crm", stream)
        streams.commit_landing(connection, lease, cursor={}, dirty={}, rows=rows)
        extracts.note_extract(connection, "crm", stream, until=until)


def hourly_history(ledger, *, weeks, rows):
    """So many weeks of hourly extracts before Monday at nine: `rows` at nine, one at other hours."""
    moments = [MONDAY - hours * HOUR for hours in range(1, int(weeks * WEEK / HOUR) + 2)]
    with ledger.transaction() as connection:
        connection.execute(
            tables.extract.insert(),
            [
                {
                    "source": "crm",
                    "stream": "activities",
                    "since": moment - HOUR,
                    "until": moment,
                    "rows": rows if moment.hour == 9 else 1,
                }
                for moment in moments
            ],
        )


def latest(ledger):
    with ledger.reading() as connection:
        return extracts.latest_extracts(connection)


def test_the_same_hours_of_earlier_weeks_say_what_to_expect(ledger):
    hourly_history(ledger, weeks=2, rows=40)
    read(ledger, until=MONDAY, rows=3)

    assert latest(ledger) == (ExtractMeasure("crm", "activities", 3, 40.0),)
    read(ledger, until=MONDAY + 24 * HOUR, rows=50)
    [measure] = latest(ledger)
    assert measure.expected == pytest.approx(40 + 23)


def test_a_history_of_a_week_predicts_nothing(ledger):
    hourly_history(ledger, weeks=1, rows=40)
    read(ledger, until=MONDAY, rows=0)

    assert latest(ledger) == ()


def test_what_an_interrupted_reading_landed_counts_when_the_stream_has_been_read(ledger):
    with ledger.transaction() as connection:
        lease = streams.take_fence(connection, "crm", "activities")
        streams.commit_landing(connection, lease, cursor={}, dirty={}, rows=30)
    read(ledger, until=MONDAY, rows=12)
    with ledger.reading() as connection:
        assert connection.execute(tables.extract.select()).one().rows == 42


def test_what_no_prediction_needs_is_dropped(ledger):
    for week in range(9):
        read(ledger, until=MONDAY + week * WEEK, rows=1)
    with ledger.reading() as connection:
        assert len(connection.execute(tables.extract.select()).all()) == 6
