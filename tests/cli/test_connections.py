"""`rescore connections`: who is left alone, how many calls were made, and how a person closes a breaker."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.cli.main import main
from rescore.connectors.memory import MemoryCrm
from rescore.delivery.destination import require_same_account
from rescore.errors import ConnectionLeadsElsewhere
from rescore.ledger.migrate import migrate
from rescore.ledger.outbox import breakers, budgets
from rescore.ledger.transaction import Ledger
from rescore.outcome import Outcome

FUTURE = datetime(2199, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def rescore(ledger, tmp_path, monkeypatch, capsys):
    """A command in this deployment: (exit code, what it printed, what it complained)."""
    monkeypatch.setenv("RESCORE_HOME", str(tmp_path))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def refused(ledger):
    with ledger.transaction() as connection:
        breakers.note(connection, "hubspot", Outcome("auth", "HubSpot refused the token (401)"), FUTURE)


def test_nobody_failed_at_first(rescore):
    assert rescore("connections") == (0, "nobody has been called yet, or failed\n", "")


def test_who_is_left_alone_is_listed_with_the_reason(rescore, refused):
    code, said, _ = rescore("connections")
    assert (code, said) == (
        0,
        "`hubspot` is left alone until 2199-01-01 13:00 UTC: HubSpot refused the token (401)\n",
    )


def test_a_connection_that_leads_elsewhere_is_refused_until_somebody_accepts_it(rescore, ledger):
    crm = MemoryCrm("hubspot")
    require_same_account(ledger, crm)
    crm.account = "portal 2"
    for _ in range(2):
        with pytest.raises(
            ConnectionLeadsElsewhere, match=r"led to hubspot and leads to portal 2 .*accept hub"
        ):
            require_same_account(ledger, crm)
    assert rescore("connections")[1] == "hubspot: hubspot\n"
    code, said, _ = rescore("connections", "accept", "hubspot")
    assert (code, said) == (0, "hubspot is portal 2 from now on; it was hubspot\n")
    require_same_account(ledger, crm)
    assert rescore("connections", "accept", "hubspot")[0] == 1


def test_failures_that_are_not_enough_yet_are_listed_too(rescore, ledger):
    with ledger.transaction() as connection:
        breakers.note(connection, "sales_alerts", Outcome("transient", "it answered 500"), FUTURE)
    assert rescore("connections")[1] == "sales_alerts: 1 failures in a row, it answered 500\n"


def test_calls_are_listed_beside_what_the_vendor_counts(rescore, ledger):
    with ledger.transaction() as connection:
        budgets.take(connection, "hubspot", "calls", limit=100, seconds=10, now=FUTURE)
        budgets.take_of_day(connection, "hubspot", limit=9, began_at=FUTURE, seen=(1234, 650_000))
    assert rescore("connections")[1] == (
        "hubspot: 1 calls since 2199-01-01 12:00:00 UTC\n"
        "hubspot: 0 calls of the day since 2199-01-01 12:00:00 UTC, 1,234 of 650,000 by everybody\n"
    )


def test_a_person_closes_a_breaker_once_and_is_on_record(rescore, ledger, refused):
    assert rescore("connections", "close", "hubspot", "--by", "ada") == (
        0,
        "hubspot is called again by the next run\n",
        "",
    )
    with ledger.reading() as connection:
        assert breakers.is_open(connection, "hubspot", FUTURE + timedelta(seconds=1)) is None
    assert rescore("connections")[1] == "hubspot: 0 failures in a row, closed by ada\n"
    code, _, complaint = rescore("connections", "close", "hubspot")
    assert (code, complaint) == (1, "`hubspot` is not left alone; `rescore connections` lists who is\n")
