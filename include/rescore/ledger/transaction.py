"""The one way to the ledger's database: transactions that lose no update, errors a person can read."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from rescore.errors import LedgerBusy, RescoreError, SettingsIncomplete
from rescore.ledger import tables

T = TypeVar("T")

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
ATTEMPTS = 6

COLLIDED = {"40001", "40P01"}  # serialization failure, deadlock: the same transaction again is the answer
REFUSED_BY_SERVER = (  # libpq gives no code for a failed connect, only these words
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied",
)


class _Collided(LedgerBusy):
    """Two transactions got in each other's way and the database chose this one to go again."""


class Ledger:
    """One ledger database, by SQLAlchemy URL: a SQLite file or a PostgreSQL database.

    Opening it touches nothing; the first transaction does. On SQLite every transaction takes the write
    lock at its start (a deferred one loses updates silently) and waits up to 30 s for it. On PostgreSQL
    transactions are READ COMMITTED and the modules of this room lock the rows they decide about.

    Raises:
        SettingsIncomplete: The URL names no such database.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.dialect = self.url.get_backend_name()
        self._engine = _sqlite(self.url) if self.dialect == "sqlite" else _postgresql(self.url)

    @property
    def name(self) -> str:
        """What to call this database in a message: without user and password."""
        if self.dialect == "sqlite":
            return str(self.url.database)
        return f"{self.url.host or self.url.query.get('host', 'localhost')}/{self.url.database}"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is committed at the end of the block, or rolled back on any error.

        Raises:
            LedgerBusy: The database is locked, down, or gave up on this transaction; try again later.
            SettingsIncomplete: The database refuses us, or its file cannot be used.
        """
        with self._said_plainly(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment and whose work is always rolled back; takes no write lock."""
        with self._said_plainly(), self._engine.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            else:
                connection.execution_options(rescore_begin="BEGIN")
            with connection.begin() as moment:
                yield connection
                moment.rollback()

    def in_transaction(self, work: Callable[[Connection], T]) -> T:
        """`work` in a transaction; from the start again, a few times, when it collided with another one."""
        for attempt in range(1, ATTEMPTS):
            try:
                with self.transaction() as connection:
                    return work(connection)
            except _Collided:
                time.sleep(0.02 * 2**attempt)
        with self.transaction() as connection:
            return work(connection)

    def compact(self) -> int:
        """Leave no byte of deleted rows behind, as far as this database can: see `docs/operations.md`.

        A SQLite file is rewritten, its write-ahead log emptied. PostgreSQL frees the space of dead rows; its
        own write-ahead log and its backups are its administrator's.

        Returns:
            How many tables PostgreSQL leaves to its autovacuum, because this role may not vacuum them.

        Raises:
            LedgerBusy: Somebody reads or writes for longer than we wait.
        """
        with self._said_plainly(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            if self.dialect == "postgresql":
                return _vacuum(driver)
            driver.execute("VACUUM")
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise LedgerBusy(f"the ledger {self.name} is being read; try again later")
            return 0

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            known = self._in_plain_words(error.orig, lost=error.connection_invalidated)
            if known is None:
                raise
            raise known from None
        except (sqlite3.Error, psycopg.Error) as error:  # from the bulk paths, which use the driver itself
            known = self._in_plain_words(error, lost=False)
            if known is None:
                raise
            raise known from None

    def _in_plain_words(self, error: BaseException | None, *, lost: bool) -> RescoreError | None:
        if isinstance(error, sqlite3.DatabaseError):
            return _sqlite_words(error, self.name)
        if isinstance(error, psycopg.Error):
            return _postgresql_words(error, self.name, lost=lost)
        return None


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # an address may begin with a bracket and not end with one
        raise SettingsIncomplete(
            "the ledger's URL cannot be read; write sqlite:////folder/ledger.db or postgresql://user@host/database"
        ) from None
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return parsed
    raise SettingsIncomplete(
        f"the ledger cannot live in `{parsed.drivername}`; write sqlite:////folder/ledger.db "
        "or postgresql://user@host/database"
    )


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True)
    path = Path(str(url.database))

    @event.listens_for(engine, "do_connect")
    def make_private(*_: Any) -> None:
        if path.exists():
            return  # closing a second descriptor of a file in use would drop every lock of this process
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise SettingsIncomplete(
                f"the ledger's file {path} cannot be used: {error.strerror}; make the folder writable "
                "or point RESCORE_LEDGER_URL elsewhere"
            ) from None

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("rescore_begin", "BEGIN IMMEDIATE"))

    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text must not hold lead data
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "rescore"},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: psycopg.Connection[Any], _: Any) -> None:
        connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        connection.commit()

    return engine


def _vacuum(driver: psycopg.Connection[Any]) -> int:
    """Vacuum every table of ours; how many PostgreSQL skipped, each with a warning."""
    told: list[str | None] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        told.append(notice.severity_nonlocalized)  # what it holds is gone when this returns

    names = SQL(", ").join(Identifier(table.name) for table in tables.metadata.sorted_tables)
    driver.autocommit = True
    driver.add_notice_handler(hear)
    try:
        driver.execute(SQL("VACUUM {}").format(names))
    finally:
        driver.remove_notice_handler(hear)
        driver.autocommit = False
    return told.count("WARNING")


def _sqlite_words(error: sqlite3.DatabaseError, name: str) -> RescoreError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return LedgerBusy(f"the ledger {name} stayed locked for {BUSY_SECONDS} seconds; try again later")
    if code == sqlite3.SQLITE_FULL:
        return LedgerBusy(f"the disk of the ledger {name} is full; free some space, then try again")
    if code == sqlite3.SQLITE_IOERR:
        return LedgerBusy(f"the disk of the ledger {name} fails; see to it, then try again")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return SettingsIncomplete(
            f"the ledger's file {name} cannot be opened for writing; check its permissions"
        )
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return SettingsIncomplete(
            f"the file {name} is no ledger, or it is damaged; restore it or move it away"
        )
    return None


def _postgresql_words(error: psycopg.Error, name: str, *, lost: bool) -> RescoreError | None:
    code = error.sqlstate
    if code in COLLIDED:
        return _Collided(f"the ledger {name} stayed contested; try again later")
    if code == "55P03":  # lock_not_available
        return LedgerBusy(f"the ledger {name} stayed locked for {BUSY_SECONDS} seconds; try again later")
    if code == "42501":  # insufficient_privilege
        return SettingsIncomplete(
            f"the ledger {name} does not let this user do that; grant it the ledger's tables"
        )
    if code == "25006":  # read_only_sql_transaction: a standby, after a failover
        return LedgerBusy(f"the ledger {name} takes no writes now; try again when its server is the primary")
    if code is not None and code[:2] in {"08", "53", "57"}:  # connection, resources, operator
        return LedgerBusy(f"the ledger {name} is not taking work now; try again when its server is well")
    if code is None and isinstance(error, psycopg.OperationalError):
        if any(words in str(error) for words in REFUSED_BY_SERVER):
            return SettingsIncomplete(
                f"the ledger's server refused the user, password or database of {name}; "
                "correct RESCORE_LEDGER_URL"
            )
        return LedgerBusy(f"the ledger {name} cannot be reached; is its PostgreSQL server running?")
    return LedgerBusy(f"the connection to the ledger {name} was lost; try again later") if lost else None
