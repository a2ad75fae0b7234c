"""A database that a loader keeps filled, for the SQL source to read: SQLite, and a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url

from rescore.connectors.catalog import load_mapping
from rescore.connectors.connection import Connection
from rescore.connectors.sql import SqlMapping, SqlSource
from rescore.connectors.sql.database import Database
from rescore.lake.records import ActivityRecord
from tests.connectors.contract import activities_of, read
from tests.support import databases

MAPPING = b"""\
mapping: warehouse
connector: sql
leads:
  table: people
  id: id
  cursor: changed
  deleted: gone
  attributes:
    job_title: {property: title, type: text}
    company_size: {property: size, type: number}
    opted_out: {property: opt_out, type: flag}
    born: {property: born, type: date}
activities:
  views:
    table: views
    id: id
    lead: person
    cursor: loaded
    type: page_view
    occurred_at: at
    asset: page
    channel: web
    value: amount
    fields: {campaign: campaign}
"""
TABLES = """\
CREATE TABLE people (id {text}, changed {time}, gone {flag}, title {text}, size {number}, opt_out {flag},
  born {date});
CREATE TABLE views (id {number}, person {text}, loaded {time}, at {time}, page {text}, amount {number},
  campaign {text})
"""
TYPES = {
    "sqlite": {"text": "TEXT", "time": "TEXT", "flag": "INTEGER", "number": "NUMERIC", "date": "TEXT"},
    "postgresql": {
        "text": "text",
        "time": "timestamptz",
        "flag": "boolean",
        "number": "numeric",
        "date": "date",
    },
}

NINE = "2026-11-01 09:00:00"


class Warehouse:
    """The database, its owner's statements, and our Connection to it as somebody who may only read."""

    def __init__(self, url: str, connection: Connection) -> None:
        self.engine = create_engine(url)
        self.connection = connection
        self.run(TABLES.format(**TYPES[self.kind]))

    @property
    def kind(self) -> str:
        return self.engine.dialect.name

    def run(self, statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements.split(";\n"):
                connection.exec_driver_sql(statement)
        self.let_read()

    def let_read(self) -> None:
        if self.kind == "postgresql":
            with self.engine.begin() as connection:
                connection.exec_driver_sql(
                    f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {self.connection.login}"
                )

    def fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        mark = "?" if self.kind == "sqlite" else "%s"
        with self.engine.begin() as connection:
            for row in rows:
                marks = ", ".join([mark] * len(row))
                connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", tuple(row))

    def lock_out(self) -> None:
        if self.kind == "sqlite":
            self.engine.dispose()
            Path(self.connection.host).unlink()
        else:
            self.run(f"ALTER ROLE {self.connection.login} NOLOGIN")

    def source(self, mapping: bytes = MAPPING, *, turn: int = 100) -> SqlSource:
        read = load_mapping(mapping, "warehouse.yaml")
        assert isinstance(read, SqlMapping)
        return SqlSource(Database(self.connection, turn=turn), read)


@contextmanager
def warehouse(kind: str, folder: Path) -> Iterator[Warehouse]:
    if kind == "sqlite":
        path = folder / "warehouse.db"
        found = Warehouse(f"sqlite:///{path}", Connection("rescore_warehouse", str(path), kind="sqlite"))
        yield found
        found.engine.dispose()
        return
    with databases.new_database() as url:
        parts = make_url(url)
        role = f"reader_{uuid.uuid4().hex[:8]}"
        connection = Connection(
            "rescore_warehouse",
            str(parts.host or parts.query.get("host")),
            kind="postgres",
            login=role,
            password=str(parts.password or ""),
            port=parts.port,
            schema=str(parts.database),
        )
        owner = create_engine(parts.set(drivername="postgresql+psycopg"))
        with owner.begin() as ours:
            ours.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        owner.dispose()
        found = Warehouse(parts.set(drivername="postgresql+psycopg").render_as_string(False), connection)
        try:
            yield found
        finally:
            with found.engine.begin() as ours:
                ours.exec_driver_sql(f"DROP OWNED BY {role}")
                ours.exec_driver_sql(f"DROP ROLE {role}")
            found.engine.dispose()


def a_view(number, *, person="1", loaded=NINE, at=NINE, page="/a", amount=None):
    """A row of `views`."""
    return (number, person, loaded, at, page, amount, "spring")


def views(source: SqlSource, cursor=None):
    """What a reading of `views` finds, its last cursor, and its pages."""
    pages = read(source, "views", cursor)
    return [one for page in pages for one in activities_of(page)], pages[-1].cursor, pages


def ids(found: Sequence[ActivityRecord]) -> list[str]:
    return [one.activity_id for one in found]
