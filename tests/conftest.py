"""What every room's tests share: ledgers on both databases."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from tests.support import databases
from tests.support.tryton.installation import TrytonMissing
from tests.support.tryton.server import TrytonServer, serving

# tests speak to servers of their own on the loopback, and to nobody else
os.environ["RESCORE_ALLOWED_HOSTS"] = (
    "http://127.0.0.1:* https://127.0.0.1:* http://localhost:* http://*.invalid"
)

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


# Hypothesis times examples and how long it takes to make them: a busy machine is no fault of the code. To say
# which lines explain a failure it follows every line of every example, a fifth of the time of all our tests.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and databases.URL not in os.environ:
        databases.reserve_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and databases.FOLDER in os.environ:
        databases.remove_folder()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.migrated_file(tmp_path_factory.mktemp("ledger") / "ledger.db")


@pytest.fixture(scope="session")
def migrated_postgresql() -> Iterator[Ledger]:
    """One database for all tests of this worker; each starts with empty tables."""
    with _postgresql_or_fail() as url:
        ledger = Ledger(url)
        migrate(ledger)
        yield ledger
        ledger.close()


@pytest.fixture(params=BOTH)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty, migrated ledger: once on SQLite, once on PostgreSQL."""
    if request.param == "postgresql":
        ledger = request.getfixturevalue("migrated_postgresql")
        databases.empty(ledger)
        yield ledger
        return
    path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "ledger.db")
    ledger = Ledger(f"sqlite:///{path}")
    yield ledger
    ledger.close()


@pytest.fixture(params=BOTH)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"
        return
    with _postgresql_or_fail() as url:
        yield url


class _postgresql_or_fail:  # noqa: N801 - reads like the function it wraps
    """A new database; without a server the test fails with one sentence, it is never skipped."""

    def __enter__(self) -> str:
        self._database = databases.new_database()
        try:
            return self._database.__enter__()
        except databases.PostgresMissing as missing:
            pytest.fail(str(missing), pytrace=False)

    def __exit__(self, *error: object) -> None:
        self._database.__exit__(None, None, None)


@pytest.fixture(scope="session")
def tryton_server() -> Iterator[TrytonServer]:
    """One live Tryton for all tests of this worker."""
    try:
        with serving() as server:
            yield server
    except TrytonMissing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture
def tryton(tryton_server: TrytonServer) -> TrytonServer:
    """A live Tryton as on its first day."""
    tryton_server.reset()
    return tryton_server
