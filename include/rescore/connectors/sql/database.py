"""A Connection becomes a database that is read: by SQLAlchemy, and by ADBC where columns come faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from adbc_driver_manager import dbapi
from adbc_driver_postgresql import dbapi as postgresql_driver
from sqlalchemy import URL, Dialect, Select, create_engine, event, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from rescore.connectors.connection import Connection
from rescore.connectors.sql.ahead import ahead
from rescore.connectors.sql.refusals import in_plain_words
from rescore.connectors.tabular.activities import column_of
from rescore.connectors.tabular.leads import records_of
from rescore.connectors.tabular.missing import require_columns
from rescore.errors import CrmFieldMissing, SettingsIncomplete
from rescore.strict.model import did_you_mean

ROWS_A_TURN = 100_000
BATCHES_AHEAD = 8  # of 16 megabytes, as ADBC makes them
CONNECT_SECONDS = 10
DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
"""By the type of the Airflow Connection; every other type is the name of a SQLAlchemy dialect."""

WORDS = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
"""What may be said there; the driver has no code for another word."""

LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding", "target_session_attrs", "host")
"""What the extra of a PostgreSQL Connection may say to the driver."""


class Database:
    """One database; it is opened anew for each query, and nothing is ever written to it.

    Rows come at most `turn` at a time.
    """

    def __init__(self, connection: Connection, *, turn: int = ROWS_A_TURN) -> None:
        self._turn, self._connection = turn, connection
        self._url = _url(connection)
        try:
            self._engine = create_engine(self._url, poolclass=NullPool, hide_parameters=True)
        except (NoSuchModuleError, ArgumentError):
            named = f"names the driver `{self._url.drivername}`" if connection.extra.get("driver") else ""
            raise SettingsIncomplete(
                f"the Connection `{connection.id}` {named or f'is of type `{connection.kind}`'}, which is no "
                "database that is known here; make it Postgres, SQLite or another database's, or name one's "
                "SQLAlchemy driver as `driver` in its extra"
            ) from None
        except ModuleNotFoundError:
            raise SettingsIncomplete(
                f"the Connection `{connection.id}` needs the SQLAlchemy driver `{self._url.drivername}`, "
                "which is not installed; install it, or name another as `driver` in its extra"
            ) from None
        if self.is_postgresql:
            event.listen(self._engine, "connect", _begin_reading)
        if self.is_sqlite:
            event.listen(self._engine, "connect", _let_texts_be_broken)

    @property
    def is_sqlite(self) -> bool:
        """Whether any column may hold anything."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def is_postgresql(self) -> bool:
        """Whether columns come from it without a detour over rows."""
        return self._url.get_backend_name() == "postgresql"

    def check_columns(self, table: str, wanted: Sequence[str]) -> dict[str, TypeEngine[Any]]:
        """Make sure that a table has some columns; the type of each column that it has.

        Raises:
            CrmFieldMissing: It has not, or there is no such table; with the nearest names there are.
        """
        there = self.columns(table)
        if not there:
            shown = f"shows the login `{self._connection.login}`" if self._connection.login else "has"
            grant = ", or grant the right to read it" if self._connection.login else ""
            raise CrmFieldMissing(
                f"the database of the Connection `{self._connection.id}` {shown} no table or view `{table}`; "
                f"correct `table` in the mapping{grant}"
            )
        require_columns(f"`{table}`", wanted, there)
        return there

    def columns(self, table: str) -> dict[str, TypeEngine[Any]]:
        """The columns of a table or view with their types; none where there is no such table.

        Raises:
            CrmRejectedCredentials, CrmLacksScope, CrmUnavailable: As everywhere.
        """
        schema, _, name = table.rpartition(".")
        with self._said_plainly(table):
            try:
                found = inspect(self._engine).get_columns(name, schema or None)
            except NoSuchTableError:
                found = []
        return {column["name"]: column["type"] for column in found}

    def tables(self, schema: str = "") -> dict[str, str]:
        """The names of all tables and views that are shown to us, as the mapping names them, and which it is.

        Raises:
            CrmRejectedCredentials, CrmLacksScope, CrmUnavailable: As everywhere.
        """
        with self._said_plainly(schema or "the tables"):
            inspector = inspect(self._engine)
            names = dict.fromkeys(inspector.get_table_names(schema or None), "table")
            names |= dict.fromkeys(inspector.get_view_names(schema or None), "view")
        return {f"{schema}.{name}" if schema else name: kind for name, kind in names.items()}

    def value(self, table: str, query: Select[Any]) -> Any:
        """The single value of a query."""
        with self._said_plainly(table), self._engine.connect() as connection:
            return connection.scalar(query)

    def read(self, table: str, query: Select[Any]) -> Iterator[pa.Table]:
        """What a query finds, some rows at a time, while the database still looks for more.

        Raises:
            CrmRejectedCredentials, CrmLacksScope, CrmFieldMissing, CrmUnavailable: As everywhere.
        """
        with self._said_plainly(table):
            if self.is_postgresql:
                yield from self._columns(query)
                return
            for names, rows in self._rows(query):
                columns = zip(*rows, strict=True)
                yield pa.table(dict(zip(names, map(column_of, columns), strict=True)))

    def records(self, table: str, query: Select[Any]) -> Iterator[list[dict[str, Any]]]:
        """The same with rows by their columns, each value as its driver gives it.

        Raises:
            As `read`.
        """
        with self._said_plainly(table):
            if self.is_postgresql:
                yield from map(records_of, self._columns(query))
                return
            for names, rows in self._rows(query):
                yield [dict(zip(names, row, strict=True)) for row in rows]

    def _rows(self, query: Select[Any]) -> Iterator[tuple[list[str], Sequence[Any]]]:
        names = [column.name for column in query.selected_columns]
        with self._engine.connect().execution_options(stream_results=True) as connection:
            for rows in connection.execute(query).partitions(self._turn):
                yield names, rows

    def _columns(self, query: Select[Any]) -> Iterator[pa.Table]:
        words = str(query.compile(dialect=_LITERAL, compile_kwargs={"literal_binds": True}))
        uri = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with postgresql_driver.connect(uri) as connection, connection.cursor() as cursor:
            _begin_reading(connection)
            cursor.execute(words)
            for batch in ahead(cursor.fetch_record_batch(), BATCHES_AHEAD):
                rows = pa.Table.from_batches([batch])
                yield from (rows.slice(start, self._turn) for start in range(0, rows.num_rows, self._turn))

    @contextmanager
    def _said_plainly(self, table: str) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise in_plain_words(error.orig, self._connection, table) from None
        except dbapi.Error as error:
            raise in_plain_words(error, self._connection, table) from None


_LITERAL: Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""ADBC binds values by a slower road; ours are times, numbers and ids, quoted as SQLAlchemy quotes them."""


def _begin_reading(connection: Any, _record: Any = None) -> None:
    """A session in which naive times are UTC and nothing can be written."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.commit()


def _let_texts_be_broken(connection: Any, _record: Any) -> None:
    """A text that is not UTF-8 comes as its bytes, where one of them would end the whole query."""

    def text(raw: bytes) -> str | bytes:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw

    connection.text_factory = text


def _url(connection: Connection) -> URL:
    driver = str(connection.extra.get("driver") or DRIVERS.get(connection.kind, connection.kind))
    if not driver:
        raise SettingsIncomplete(
            f"the Connection `{connection.id}` has no type; make it a database's, such as Postgres or SQLite"
        )
    if driver.startswith("sqlite"):
        if not (path := connection.host or connection.schema):
            raise SettingsIncomplete(
                f"the Connection `{connection.id}` has no host; write the file's path there"
            )
        return URL.create(driver, database=f"file:{quote(path)}", query={"mode": "ro", "uri": "true"})
    query: dict[str, str] = {}
    host: str | None = connection.host or None
    if driver in DRIVERS.values() and not (host or connection.extra.get("host")):
        raise SettingsIncomplete(
            f"the Connection `{connection.id}` has no host; write there where the database's server is"
        )
    if driver.startswith("postgresql"):
        query = {"connect_timeout": str(CONNECT_SECONDS), "application_name": "rescore"}
        query |= {name: str(connection.extra[name]) for name in LIBPQ if connection.extra.get(name)}
        for name, words in WORDS.items():
            if query.get(name, words[0]) not in words:
                raise SettingsIncomplete(
                    f"`{name}` in the extra of the Connection `{connection.id}` cannot be `{query[name]}`; "
                    f"{did_you_mean(query[name], words)}"
                )
        if host and host.startswith("/"):  # the folder of a socket
            query["host"], host = host, None
    return URL.create(
        driver,
        username=connection.login or None,
        password=connection.password or None,
        host=host,
        port=connection.port,
        database=connection.schema or None,
        query=query,
    )
