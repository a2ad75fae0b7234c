"""What can happen to the ledger's database while a step uses it: locks, limits, resets, servers that go."""

from __future__ import annotations

import resource
import signal
import socket
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy import URL, Connection, Engine, event

from rescore.errors import LedgerBehind, LedgerBusy, RescoreError, SettingsIncomplete
from rescore.ledger import tables
from tests.faults.homes import Database
from tests.faults.life import Life

SOON = 200
"""Milliseconds after which a lock is given up; thirty seconds as shipped."""

Expected = type[RescoreError] | None
Answer = Literal["all is well", "reset before the commit", "reset after the commit", "gone"]


class Relay:
    """A TCP relay on loopback before a PostgreSQL server, that can go, and cut connections at a commit.

    So many commits as are `spared` come through before that.
    """

    def __init__(self, server: URL) -> None:
        self.plan: Answer = "all is well"
        self.spared = 0
        self._server = server
        self._open: set[socket.socket] = set()
        self._deaf: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def url(self, database: str) -> str:
        """Of a database of the server, through here."""
        url = self._server.set(host="127.0.0.1", port=self.port, database=database, query={})
        return url.render_as_string(hide_password=False)

    def cut(self) -> None:
        """End every connection with a reset."""
        for sock in list(self._open):
            _reset(sock)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.plan == "gone":
                _reset(client)
                continue
            server = self._connected()
            self._open |= {client, server}
            for source, to, watch in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, to, watch), daemon=True).start()

    def _connected(self) -> socket.socket:
        folder = self._server.query.get("host")
        if isinstance(folder, str) and folder.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{folder}/.s.PGSQL.{self._server.port or 5432}")
            return server
        return socket.create_connection((self._server.host or "localhost", self._server.port or 5432))

    def _pump(self, source: socket.socket, to: socket.socket, watch: bool) -> None:
        try:
            while data := source.recv(65536):
                if watch and b"COMMIT\0" in data and self.plan.startswith("reset"):
                    if self.spared > 0:
                        self.spared -= 1
                    elif self.plan == "reset before the commit":
                        break
                    else:
                        self._deaf.add(to)
                if not watch and source in self._deaf:
                    break  # the server has committed, and nobody hears of it
                to.sendall(data)
        except OSError:
            pass
        for sock in (source, to):
            self._open.discard(sock)
            _reset(sock)


def _reset(sock: socket.socket) -> None:
    try:
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


@dataclass(frozen=True)
class Trouble:
    """Where a step is in trouble: the life, and on PostgreSQL a way in beside the relay."""

    life: Life
    relay: Relay | None = None
    admin: str = ""

    @property
    def file(self) -> Path:
        """SQLite's."""
        return self.life.home / "ledger.db"

    def reconnect(self) -> None:
        """What is opened from now on is new."""
        self.life.ws.ledger.close()

    def administer(self, *statements: str) -> None:
        """By somebody else."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@dataclass(frozen=True)
class DatabaseFault:
    """One fault of one database.

    `error` is what a step that meets it fails with, None when it is got over; a step may also never meet it.
    """

    name: str
    database: Database
    error: Expected
    during: Callable[[Trouble], AbstractContextManager[None]]


@contextmanager
def _on_connect(trouble: Trouble, statement: str) -> Iterator[None]:
    """Every connection begins with this statement."""

    def tell(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute(statement)
        if trouble.relay is not None:
            driver.commit()

    trouble.reconnect()
    event.listen(Engine, "engine_connect", tell)
    try:
        yield
    finally:
        event.remove(Engine, "engine_connect", tell)
        trouble.reconnect()


# ── SQLite ───────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _locked_file(trouble: Trouble) -> Iterator[None]:
    with _on_connect(trouble, f"PRAGMA busy_timeout = {SOON}"):
        other = sqlite3.connect(trouble.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()


def _locked_after(commits: int) -> Callable[[Trouble], AbstractContextManager[None]]:
    """Somebody takes the file when so many transactions are through."""

    @contextmanager
    def during(trouble: Trouble) -> Iterator[None]:
        other = sqlite3.connect(trouble.file, isolation_level=None)
        through = 0

        def count(_: Connection) -> None:
            nonlocal through
            through += 1

        def lock(_: Connection) -> None:
            if through >= commits and not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")

        with _on_connect(trouble, f"PRAGMA busy_timeout = {SOON}"):
            event.listen(Engine, "commit", count)
            event.listen(Engine, "engine_connect", lock)
            try:
                yield
            finally:
                event.remove(Engine, "commit", count)
                event.remove(Engine, "engine_connect", lock)
                other.close()

    return during


@contextmanager
def _full(trouble: Trouble) -> Iterator[None]:
    """The file may not grow, and every statement that writes needs room."""
    with _beside(trouble) as other:
        other.execute("CREATE TABLE ballast (content BLOB)")
        for name in tables.metadata.tables:
            for verb in ("INSERT", "UPDATE", "DELETE"):
                other.execute(
                    f"CREATE TRIGGER full_{verb}_{name} BEFORE {verb} ON {name} BEGIN"
                    " INSERT INTO ballast VALUES (zeroblob(1000000)); END"
                )
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    with _on_connect(trouble, f"PRAGMA max_page_count = {pages + 20}"):
        yield
    with _beside(trouble) as other:
        for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            other.execute(f"DROP TRIGGER {name}")
        other.execute("DROP TABLE ballast")


@contextmanager
def _beside(trouble: Trouble) -> Iterator[sqlite3.Connection]:
    trouble.reconnect()
    other = sqlite3.connect(trouble.file, isolation_level=None)
    try:
        yield other
    finally:
        other.close()


@contextmanager
def _refusing(trouble: Trouble) -> Iterator[None]:
    """The file system refuses writes to the ledger: no file of this process may grow."""
    trouble.reconnect()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
        trouble.reconnect()


@contextmanager
def _damaged(trouble: Trouble) -> Iterator[None]:
    trouble.reconnect()
    content = trouble.file.read_bytes()
    trouble.file.write_bytes(b"\xff" * 4096 + content[4096:])
    try:
        yield
    finally:
        trouble.reconnect()
        trouble.file.write_bytes(content)


@contextmanager
def _missing(trouble: Trouble) -> Iterator[None]:
    trouble.reconnect()
    elsewhere = trouble.file.with_suffix(".elsewhere")
    trouble.file.rename(elsewhere)
    try:
        yield
    finally:
        trouble.reconnect()
        elsewhere.rename(trouble.file)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────


def _revision(number: str) -> Callable[[Trouble], AbstractContextManager[None]]:
    @contextmanager
    def during(trouble: Trouble) -> Iterator[None]:
        known = _revised(trouble, number)
        try:
            yield
        finally:
            _revised(trouble, known)

    return during


def _revised(trouble: Trouble, number: str) -> str:
    with trouble.life.ws.ledger.transaction() as connection:
        before: str = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{number}'")
    return before


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _locked_tables(trouble: Trouble) -> Iterator[None]:
    with (
        _on_connect(trouble, f"SET lock_timeout = {SOON}"),
        psycopg.connect(trouble.admin) as other,
    ):
        other.execute(f"LOCK TABLE {', '.join(tables.metadata.tables)} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def _raising(code: str, times: int) -> Callable[[Trouble], AbstractContextManager[None]]:
    """The server ends the first so many statements that write with this SQLSTATE."""

    @contextmanager
    def during(trouble: Trouble) -> Iterator[None]:
        trouble.administer(
            "CREATE SEQUENCE times",
            "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('times') <= {times} THEN {_statement(code)} END IF; RETURN NULL; END $$",
            *(
                f"CREATE TRIGGER trouble AFTER INSERT OR UPDATE OR DELETE ON {name}"
                " FOR EACH STATEMENT EXECUTE FUNCTION trouble()"
                for name in tables.metadata.tables
            ),
        )
        try:
            yield
        finally:
            trouble.reconnect()
            trouble.administer("DROP FUNCTION trouble CASCADE", "DROP SEQUENCE times")

    return during


def _statement(code: str) -> str:
    if code == "57P01":
        return "PERFORM pg_terminate_backend(pg_backend_pid());"
    return f"RAISE EXCEPTION 'trouble' USING ERRCODE = '{code}';"


def _relayed(plan: Answer, spared: int = 0) -> Callable[[Trouble], AbstractContextManager[None]]:
    @contextmanager
    def during(trouble: Trouble) -> Iterator[None]:
        assert trouble.relay is not None
        trouble.relay.plan, trouble.relay.spared = plan, spared
        if plan == "gone":
            trouble.relay.cut()
        try:
            yield
        finally:
            trouble.relay.plan = "all is well"

    return during


EVER = 10**6

FAULTS = (
    DatabaseFault("locked", "sqlite", LedgerBusy, _locked_file),
    DatabaseFault("disk full", "sqlite", LedgerBusy, _full),
    DatabaseFault("writes refused by the disk", "sqlite", LedgerBusy, _refusing),
    DatabaseFault(
        "read-only", "sqlite", SettingsIncomplete, lambda t: _on_connect(t, "PRAGMA query_only = ON")
    ),
    DatabaseFault("damaged", "sqlite", SettingsIncomplete, _damaged),
    DatabaseFault("missing", "sqlite", LedgerBehind, _missing),
    DatabaseFault("tables behind", "sqlite", LedgerBehind, _revision("0000")),
    DatabaseFault("tables ahead", "sqlite", LedgerBehind, _revision("9999")),
    DatabaseFault("locked", "postgresql", LedgerBusy, _locked_tables),
    DatabaseFault("disk full", "postgresql", LedgerBusy, _raising("53100", EVER)),
    DatabaseFault("a standby now", "postgresql", LedgerBusy, _raising("25006", EVER)),
    DatabaseFault("reset before the commit", "postgresql", LedgerBusy, _relayed("reset before the commit")),
    DatabaseFault("reset after the commit", "postgresql", LedgerBusy, _relayed("reset after the commit")),
    DatabaseFault("ended by its administrator", "postgresql", LedgerBusy, _raising("57P01", EVER)),
    DatabaseFault("deadlock for ever", "postgresql", LedgerBusy, _raising("40P01", EVER)),
    DatabaseFault("one serialization failure", "postgresql", LedgerBusy, _raising("40001", 1)),
    DatabaseFault("server gone", "postgresql", LedgerBusy, _relayed("gone")),
    DatabaseFault("tables behind", "postgresql", LedgerBehind, _revision("0000")),
)
"""Where a step repeats a transaction that collided, one serialization failure is got over."""


def later(commits: int) -> tuple[DatabaseFault, ...]:
    """Faults that begin in the middle of a step, when so many of its transactions are through."""
    before: Answer = "reset before the commit"
    after: Answer = "reset after the commit"
    return (
        DatabaseFault(f"locked after {commits}", "sqlite", LedgerBusy, _locked_after(commits)),
        DatabaseFault(f"{before}, {commits} spared", "postgresql", LedgerBusy, _relayed(before, commits)),
        DatabaseFault(f"{after}, {commits} spared", "postgresql", LedgerBusy, _relayed(after, commits)),
    )
