"""A Connection that fails is left alone by everybody, and asked again when there is hope."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.ledger.outbox import breakers
from rescore.outcome import Outcome

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN = Outcome("transient", "crm does not answer")


@pytest.fixture
def note(ledger):
    """Note one outcome after the other; whether nobody may call after the last."""

    def note(*outcomes, at=NOW, name="crm"):
        with ledger.transaction() as connection:
            for outcome in outcomes:
                last = breakers.note(connection, name, outcome, at)
        return last

    return note


@pytest.fixture
def is_open(ledger):
    def is_open(at, name="crm"):
        with ledger.reading() as connection:
            return breakers.is_open(connection, name, at)

    return is_open


def test_a_connection_nobody_called_may_be_called(is_open):
    assert is_open(NOW) is None


def test_failures_open_it_when_they_are_several_in_a_row(note, is_open):
    assert note(DOWN, DOWN) is None
    assert is_open(NOW) is None
    opened = note(DOWN)
    assert opened == is_open(NOW)
    assert opened.told() == ("`crm` is left alone until 2026-11-22 12:01 UTC: crm does not answer")
    assert is_open(NOW + MINUTE - SECOND)
    assert is_open(NOW + MINUTE) is None


@pytest.mark.parametrize("answer", ["ok", "record", "gone"])
def test_an_answer_about_a_record_between_failures_begins_the_count_anew(note, is_open, answer):
    note(DOWN, DOWN, Outcome(answer), DOWN, DOWN)
    assert is_open(NOW) is None


def test_it_stays_open_longer_each_time_and_half_an_hour_at_most(note):
    at, waits = NOW, []
    note(DOWN, DOWN)
    for _ in range(6):
        waits.append(note(DOWN, at=at).open_until - at)
        at += waits[-1]
    assert waits == [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE]
    assert note(Outcome("ok"), at=at) is None
    assert note(DOWN, at=at) is None


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [
        pytest.param(Outcome("auth", "wrong token"), 60 * MINUTE, id="credentials"),
        pytest.param(Outcome("schema", "no property"), 60 * MINUTE, id="a property that is missing"),
        pytest.param(Outcome("quota", "daily", retry_after=7200), 120 * MINUTE, id="a quota"),
        pytest.param(Outcome("quota", "daily"), 10 * MINUTE, id="a quota without a wish"),
    ],
)
def test_what_concerns_every_call_opens_it_at_once(note, is_open, outcome, wait):
    assert note(outcome).open_until == NOW + wait
    assert is_open(NOW + wait - SECOND).failure == outcome.kind
    assert is_open(NOW + wait) is None


def test_a_call_that_began_before_it_was_opened_does_not_close_it(note, is_open):
    note(Outcome("quota", "daily", retry_after=7200))
    assert note(DOWN).open_until == NOW + 120 * MINUTE


def test_what_was_never_sent_says_nothing_about_it(note, is_open):
    assert note(*[Outcome("unready", "outside hours")] * 9) is None
    assert is_open(NOW) is None


def test_each_connection_has_its_own(note, is_open):
    note(DOWN, DOWN, DOWN)
    assert is_open(NOW, name="sales_alerts") is None


def test_a_receiver_that_is_gone_for_good_waits_for_a_person(ledger, note, is_open):
    with ledger.transaction() as connection:
        breakers.shut(connection, "sales_alerts", "it answered 410", NOW)
    later = NOW + timedelta(days=3000)
    assert is_open(later, name="sales_alerts").told() == (
        "`sales_alerts` is left alone until a person closes it: it answered 410"
    )
    assert note(Outcome("ok"), DOWN, at=later, name="sales_alerts").for_good
    with ledger.transaction() as connection:
        assert breakers.close(connection, "sales_alerts", "ada")
        assert not breakers.close(connection, "sales_alerts", "ada")
    assert is_open(later, name="sales_alerts") is None
    with ledger.reading() as connection:
        assert [breaker.reason for breaker in breakers.all_of_them(connection)] == ["closed by ada"]


@pytest.mark.parametrize("wish", [float("inf"), 1e18, 5e6], ids=["inf", "longer than time", "two months"])
def test_who_asks_for_more_than_two_days_is_asked_again_after_two(note, wish):
    assert note(Outcome("quota", "slow down", wish)).open_until == NOW + timedelta(days=2)


@pytest.mark.parametrize("wish", [-5.0, 0.0, float("nan")], ids=["negative", "none", "no number"])
def test_who_asks_for_no_time_is_left_alone_for_a_second(note, wish):
    assert note(Outcome("quota", "slow down", wish)).open_until == NOW + SECOND
