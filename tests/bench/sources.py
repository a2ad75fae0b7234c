"""What is measured of sources: activities from a table into the lake, against a plain copy of them."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
from sqlalchemy import column, delete, make_url, select, table

from rescore.connectors.catalog import load_mapping
from rescore.connectors.connection import Connection
from rescore.connectors.sql import SqlSource
from rescore.connectors.sql.database import Database
from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.rules import activations, registry
from rescore.ledger.transaction import Ledger
from rescore.pipeline.extract import extract
from rescore.rules.load import load_scorecard
from rescore.workspace import Workspace
from tests.bench.ledger import server
from tests.bench.steps import RULES
from tests.bench.timing import interleaved
from tests.bench.world import AS_OF, World
from tests.support import databases
from tests.support.main_job import MAPPINGS

ROWS = {"xs": (20_000, 1_000), "s": (1_000_000, 100_000), "m": (20_000_000, 1_000_000)}
MAPPING = b"""\
mapping: warehouse
connector: sql
leads: {table: people, id: id, cursor: changed, attributes: {}}
activities:
  views:
    table: views
    id: id
    lead: lead
    cursor: loaded
    type: {property: kind}
    occurred_at: at
    asset: page
    channel: {property: channel}
    value: amount
"""
PEOPLE = "CREATE TABLE people (id text, changed timestamp)"
VIEWS = """\
CREATE TABLE views AS SELECT id, 'L' || (id * 2654435761 % 4294967296) % {leads} AS lead,
  'type_' || id % 12 AS kind, {at} AS at, '/Section' || id % 20 || '/page-' || id * 7 % 400 AS page,
  CASE id % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'mail' ELSE 'ads' END AS channel, id % 1000 / 10.0 AS amount,
  {at} AS loaded FROM {numbers}
"""
NUMBERS = {
    "postgresql": "(SELECT generate_series(1::bigint, {rows}) AS id) AS numbers",
    "sqlite": "(WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {rows}) "
    "SELECT id FROM n)",
}
SECONDS = "(id * 60000000 / {rows})"  # the rows of two years, in the order of their ids
AT = {
    "postgresql": f"TIMESTAMPTZ '2024-11-01' + {SECONDS} * INTERVAL '1 second'",
    "sqlite": f"datetime('2024-11-01', {SECONDS} || ' seconds')",
}


def table_to_lake(world: World, turns: int) -> Iterator[str]:
    """Everything a first load does: read, screen, look for the same, land, mark; folding in comes later.

    The twenty million rows of size m come from PostgreSQL, once.
    """
    large = world.size == "m"
    with server():
        for kind in ("postgresql",) if large else ("postgresql", "sqlite"):
            yield from _measured(kind, *ROWS[world.size], turns=1 if large else turns, warm_up=not large)


BENCHMARKS = [table_to_lake]


def _measured(kind: str, rows: int, leads: int, *, turns: int, warm_up: bool) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name, _deployment(kind, Path(name), rows, leads) as (ws, db):
        again = count(1)
        source = SqlSource(db, load_mapping(MAPPING, "warehouse.yaml"))
        timed = interleaved(
            {
                "a plain copy to a Parquet file": lambda: _copy(
                    source, db, Path(name) / "copy.parquet", rows
                ),
                "into the lake, leads marked": lambda: _land(ws, source, Path(name), next(again), rows),
            },
            turns=turns,
            warm_up=warm_up,
        )
    wall, cpu = (min(times["into the lake, leads marked"]) for times in (timed.wall, timed.cpu))
    yield f"{rows:,} activities of {leads:,} leads from {kind} (goal 200,000 rows/s from PostgreSQL):"
    yield from timed.lines()
    yield f"  {rows / wall:,.0f} rows/s; {rows / cpu:,.0f} for each second of this process's own work"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"  at most {peak:,.0f} MiB of memory until now"


def _copy(source: SqlSource, db: Database, path: str, rows: int) -> None:
    """What the driver gives, as it gives it, into one Parquet file."""
    read = source.mapping.activities["views"]
    columns = map(column, dict.fromkeys([*read.columns, read.cursor, read.id]))
    query = select(*columns).select_from(table("views")).order_by(column(read.cursor), column(read.id))
    found = 0
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for batch in db.read("views", query):
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(path, batch.schema))
            writer.write_table(batch)
            found += batch.num_rows
    assert found == rows


def _land(ws: Workspace, source: SqlSource, folder: Path, turn: int, rows: int) -> None:
    """Into a lake of its own, and as a source of its own; what the turn before left is removed first."""
    shutil.rmtree(folder / f"lake-{turn - 1}", ignore_errors=True)
    with ws.ledger.transaction() as connection:  # or it would miss what has landed in the lake before
        connection.execute(delete(tables.stream))
    source.name = f"warehouse_{turn}"
    place = Workspace(
        ws.ledger,
        Lake(str(folder / f"lake-{turn}")),
        ws.rules_dir,
        ws.mappings_dir,
        ws.reports_dir,
        ws.policy_file,
    )
    counts = extract(place, source, until=AS_OF, known_at=AS_OF)
    assert counts["activities"] == rows, dict(counts)


@contextmanager
def _deployment(kind: str, folder: Path, rows: int, leads: int) -> Iterator[tuple[Workspace, Database]]:
    """A table in a database, and a ledger of the same kind in which a scorecard is in force."""
    with _database(kind, folder) as (run, connection, url):
        numbers = NUMBERS[kind].format(rows=rows)
        run(PEOPLE)
        run(VIEWS.format(leads=leads, at=AT[kind].format(rows=rows), numbers=numbers))
        run("CREATE INDEX views_loaded ON views (loaded, id)")
        with closing(Ledger(url)) as ledger:
            migrate(ledger)
            card = load_scorecard(RULES, name="bench.yaml")
            with ledger.transaction() as ours:
                version = registry.register(
                    ours, card=card, body=RULES, path="bench.yaml", at=AS_OF, by="bench"
                )
                activations.activate(ours, card=card, version_seq=version, at=AS_OF, by="bench")
            policy = MAPPINGS.with_name("policy.yaml")
            ws = Workspace(ledger, Lake(str(folder)), folder, MAPPINGS, folder / "reports", policy)
            yield ws, Database(connection)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[tuple[Callable[[str], object], Connection, str]]:
    if kind == "sqlite":
        path = str(folder / "warehouse.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as own:
            yield own.execute, Connection("w", path, kind="sqlite"), f"sqlite:///{folder}/ledger.db"
        return
    with databases.new_database() as url:
        parts = make_url(url)
        host = parts.host or str(parts.query["host"])
        connection = Connection(
            "w",
            host,
            str(parts.password or ""),
            kind="postgres",
            login=str(parts.username),
            port=parts.port,
            schema=str(parts.database),
        )
        with psycopg.connect(url, autocommit=True) as own:
            yield own.execute, connection, url
