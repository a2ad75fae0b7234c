"""What is measured of the ledger: committing changed scores, and the calls that show them in a CRM."""

import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Table, select

from rescore.connectors.catalog import load_mapping
from rescore.connectors.memory import MemoryCrm
from rescore.delivery.crm import update_crm
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from tests.bench.timing import Timed
from tests.bench.world import World
from tests.delivery.conftest import MAPPING
from tests.ledger.world import World as LedgerWorld
from tests.support import databases

LEADS, CHANGED, BATCH = 5_000, 2_350, 100
COMMITTED = {"xs": 2_000, "s": 20_000, "m": 100_000}
WRITTEN = [tables.score, tables.delta, tables.sync]

Rows = dict[Table, list[tuple[Any, ...]]]


def crm_calls(world: World, turns: int) -> Iterator[str]:
    """Every changed lead is written once, in full batches, and nothing else is."""
    with tempfile.TemporaryDirectory() as folder, closing(Ledger(f"sqlite:///{folder}/ledger.db")) as ledger:
        migrate(ledger)
        facts, crm = LedgerWorld(ledger), MemoryCrm("crm", batch_size=BATCH)
        for lead in range(LEADS):
            crm.put_lead(str(lead), {})
        mapping = load_mapping(MAPPING, "crm.yaml")

        def calls() -> int:
            before = crm.writes
            update_crm(ledger, crm, mapping=mapping, now=facts.tick(), worker="bench")
            return crm.writes - before

        first = {f"crm:{lead}": lead % 100 for lead in range(LEADS)}
        facts.first_load(**first)
        told, expected = [calls()], [math.ceil(LEADS / BATCH)]
        facts.score(**{lead: score + (int(lead[4:]) < CHANGED) for lead, score in first.items()})
        told, expected = [*told, calls(), calls()], [*expected, math.ceil(CHANGED / BATCH), 0]
    assert told == expected, f"{told} calls instead of {expected}"
    yield f"Calls to the CRM, {BATCH} leads a call (goal: exactly changed / batch, rounded up):"
    for changed, calls_made in zip((LEADS, CHANGED, 0), told, strict=True):
        yield f"  {changed:>5,} of {LEADS:,} leads changed: {calls_made} calls"


def promotion(world: World, turns: int) -> Iterator[str]:
    """Committing changed scores with deltas and CRM wishes, against the driver's bulk path for those rows."""
    count = COMMITTED[world.size]
    yield f"Committing {count:,} changed scores with their deltas and CRM wishes (goal 1.5):"
    with tempfile.TemporaryDirectory() as folder:
        ours, floor = (f"sqlite:///{folder}/{name}.db" for name in ("ours", "floor"))
        yield from _promotion("SQLite", "executemany", ours, floor, count, turns)
    try:
        with server(), databases.new_database() as ours, databases.new_database() as floor:
            yield from _promotion("PostgreSQL", "COPY", ours, floor, count, turns)
    except databases.PostgresMissing as missing:
        yield f"  not measured on PostgreSQL: {missing}"


BENCHMARKS = [crm_calls, promotion]


def _promotion(database: str, bulk: str, ours: str, floor: str, count: int, turns: int) -> Iterator[str]:
    names = f"{database}: {bulk} into empty tables", f"{database}: promotion"
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with closing(Ledger(ours)) as ledger, closing(Ledger(floor)) as other:
        for each in (ledger, other):
            migrate(each)
        facts = LedgerWorld(ledger)
        scores = {f"crm:{lead:08}": lead % 100 for lead in range(count)}
        facts.first_load(**scores)
        for turn in range(1, turns + 1):
            run = facts.stage(facts.start(), {lead: score + turn for lead, score in scores.items()})
            began = time.perf_counter()
            counts = facts.promote(run)
            seconds[names[1]].append(time.perf_counter() - began)
            assert counts["changed"] == count, f"{counts} instead of {count} changed"
            rows = _written(ledger, run.run_key)
            databases.empty(other)
            began = time.perf_counter()
            _write(other, rows)
            seconds[names[0]].append(time.perf_counter() - began)
    yield from Timed(seconds, {}).lines()


def _written(ledger: Ledger, run_key: str) -> Rows:
    """What that promotion wrote, as the driver takes it."""
    rows: Rows = {}
    with ledger.reading() as connection:
        for table in WRITTEN:
            query = str(select(table).compile(dialect=connection.dialect))
            if table is tables.delta:
                query += f" WHERE run_key = '{run_key}'"
            rows[table] = [tuple(row) for row in connection.exec_driver_sql(query)]
    return rows


def _write(ledger: Ledger, rows: Rows) -> None:
    with ledger.transaction() as connection:
        cursor = connection.connection.cursor()
        for table, values in rows.items():
            names = [column.name for column in table.c]
            if ledger.dialect == "sqlite":
                marks = ", ".join("?" * len(names))
                cursor.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", values)
                continue
            with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)


@contextmanager
def server() -> Iterator[None]:
    """The tests' PostgreSQL, for as long as it is needed."""
    if {databases.URL, databases.FOLDER} & os.environ.keys():  # somebody else's to remove
        yield
        return
    databases.reserve_folder()
    try:
        yield
    finally:
        databases.remove_folder()
