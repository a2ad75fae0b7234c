"""A run's results that nobody acts on yet, and the committed scores they are compared with."""

from __future__ import annotations

import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
from sqlalchemy import Connection, delete, select

from rescore.ledger import tables
from rescore.ledger.scores import runs
from rescore.ledger.scores.runs import Run

STAGE = pa.schema(
    [
        ("run_key", pa.string()),
        ("lead", pa.string()),
        ("score", pa.int64()),
        ("band", pa.string()),
        ("dimensions", pa.string()),
        ("reasons", pa.string()),
        ("changed", pa.bool_()),
        ("flags", pa.string()),
        ("under_old_rules", pa.string()),
        ("causes", pa.string()),
        ("old_score", pa.int64()),
        ("grade", pa.string()),
        ("restarted_at", pa.timestamp("us", "UTC")),
        ("withheld", pa.string()),
    ]
)
COMMITTED = pa.schema([STAGE.field(name) for name in ("lead", "score", "band", "grade", "dimensions")])
LEADS_A_QUERY = 10_000


@dataclass(frozen=True, slots=True)
class CommittedScore:
    """One lead's state of record under one scorecard."""

    score: int | None
    band: str | None
    grade: str | None
    dimensions: dict[str, int | None]
    reasons: list[dict[str, Any]]
    activation_seq: int
    as_of: datetime
    changed_at: datetime


def stage(connection: Connection, run: Run, rows: pa.Table) -> None:
    """Put a run's results on the stage, in place of what an earlier attempt put there.

    The stages of this scorecard's finished runs are cleared away on the occasion.

    Args:
        connection: In a transaction.
        run: The attempt these results are of.
        rows: The columns of `STAGE`, one row a lead; what is not given is null.

    Raises:
        Fenced: A newer attempt has taken the run over.
    """
    present = runs.hold_fence(connection, run)
    finished = select(tables.run.c.run_key).where(
        tables.run.c.scorecard == run.scorecard, tables.run.c.state.in_(runs.OVER)
    )
    connection.execute(
        delete(tables.stage_score).where(
            (tables.stage_score.c.run_key == run.run_key) | tables.stage_score.c.run_key.in_(finished)
        )
    )
    named = rows.append_column("run_key", pa.repeat(run.run_key, rows.num_rows))
    for column in STAGE:
        if column.name not in named.column_names:
            named = named.append_column(column, pa.nulls(rows.num_rows, column.type))
    named = named.select(STAGE.names).cast(STAGE)
    if connection.dialect.name == "postgresql":
        _copy(connection, named)
    else:
        _insert_many(connection, named)
    runs.set_state(connection, present, runs.STAGED, promoted_to=None)


def committed(connection: Connection, scorecard: str, leads: Collection[str] | None = None) -> pa.Table:
    """The committed scores (`COMMITTED`, dimensions as JSON text): of these leads, or of all."""
    columns = [tables.score.c[name] for name in COMMITTED.names]
    query = select(*columns).where(tables.score.c.scorecard == scorecard)
    if leads is None:
        rows = connection.execute(query).all()
    else:
        asked = sorted(leads)
        rows = [
            row
            for start in range(0, len(asked), LEADS_A_QUERY)
            for row in connection.execute(
                query.where(tables.score.c.lead.in_(asked[start : start + LEADS_A_QUERY]))
            )
        ]
    values = list(zip(*rows, strict=True)) or [()] * len(COMMITTED)
    return pa.table([pa.array(v, t) for v, t in zip(values, COMMITTED.types, strict=True)], schema=COMMITTED)


def committed_row(connection: Connection, scorecard: str, lead: str) -> CommittedScore | None:
    """One lead's committed score; None when it has none."""
    row = connection.execute(
        select(tables.score).where(tables.score.c.scorecard == scorecard, tables.score.c.lead == lead)
    ).one_or_none()
    if row is None:
        return None
    return CommittedScore(
        score=row.score,
        band=row.band,
        grade=row.grade,
        dimensions=json.loads(row.dimensions),
        reasons=json.loads(row.reasons),
        activation_seq=row.activation_seq,
        as_of=row.as_of,
        changed_at=row.changed_at,
    )


def _copy(connection: Connection, rows: pa.Table) -> None:
    """PostgreSQL's bulk path: columns become one CSV text, in which only a null is an unquoted nothing."""
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - narrows the type
    names = ", ".join(STAGE.names)
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY stage_score ({names}) FROM STDIN (FORMAT csv)") as copy,
    ):
        copy.write(text.getbuffer())
    # a table filled in one go looks to the planner as it was: chunks would be joined row by row
    connection.exec_driver_sql("ANALYZE stage_score")


def _insert_many(connection: Connection, rows: pa.Table) -> None:
    """SQLite's bulk path: one prepared statement, run by the driver for every row."""
    marks = ", ".join("?" * len(STAGE))
    statement = f"INSERT INTO stage_score ({', '.join(STAGE.names)}) VALUES ({marks})"  # noqa: S608
    place = STAGE.get_field_index("restarted_at")
    as_text = pc.strftime(rows["restarted_at"], "%Y-%m-%d %H:%M:%S")  # as `UtcDateTime` has it: microseconds
    rows = rows.set_column(place, "restarted_at", as_text)
    cursor = connection.connection.cursor()
    for batch in rows.to_batches(max_chunksize=50_000):
        cursor.executemany(
            statement, list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        )
    cursor.close()
