"""Which version scores beside the one in force, and which runs it has scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from rescore.ledger import tables
from rescore.ledger.scores.runs import Run
from rescore.ledger.upsert import insert


@dataclass(frozen=True, slots=True)
class Shadow:
    """A scorecard's shadow version."""

    scorecard: str
    version_seq: int
    started_at: datetime
    started_by: str


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """One run that a shadow scored: `leads` results are in the lake under `run_key`, None when it failed."""

    run_key: str
    version_seq: int
    activation_seq: int
    as_of: datetime
    everybody: bool
    leads: int | None
    failure: str | None


def start(connection: Connection, scorecard: str, version_seq: int, *, at: datetime, by: str) -> None:
    """Let a version score beside the one in force, in place of an earlier shadow."""
    row = insert(connection, tables.shadow).values(
        scorecard=scorecard, version_seq=version_seq, started_at=at, started_by=by
    )
    changed = {name: row.excluded[name] for name in ("version_seq", "started_at", "started_by")}
    connection.execute(row.on_conflict_do_update(index_elements=["scorecard"], set_=changed))


def stop(connection: Connection, scorecard: str) -> None:
    """Let nothing score beside the version in force."""
    connection.execute(delete(tables.shadow).where(tables.shadow.c.scorecard == scorecard))


def shadow_of(connection: Connection, scorecard: str) -> Shadow | None:
    """The version that scores beside the one in force."""
    table = tables.shadow
    row = connection.execute(select(table).where(table.c.scorecard == scorecard)).one_or_none()
    return None if row is None else Shadow(**row._mapping)


def note_run(
    connection: Connection, run: Run, version_seq: int, *, leads: int | None, failure: str | None = None
) -> None:
    """Note what came of a run; a later attempt's counts."""
    row = insert(connection, tables.shadow_run).values(
        run_key=run.run_key,
        scorecard=run.scorecard,
        version_seq=version_seq,
        activation_seq=run.activation_seq,
        as_of=run.as_of,
        everybody=run.full,
        leads=leads,
        failure=failure,
    )
    changed = {name: row.excluded[name] for name in ("version_seq", "activation_seq", "leads", "failure")}
    connection.execute(row.on_conflict_do_update(index_elements=["run_key"], set_=changed))


def runs_of(connection: Connection, scorecard: str) -> list[ShadowRun]:
    """Every run that is remembered, oldest first."""
    table = tables.shadow_run
    columns = [column for column in table.c if column.name != "scorecard"]
    query = select(*columns).where(table.c.scorecard == scorecard).order_by(table.c.as_of, table.c.run_key)
    return [ShadowRun(**row._mapping) for row in connection.execute(query)]


def forget_runs(connection: Connection, run_keys: Sequence[str]) -> None:
    """Forget runs whose results nobody needs any more."""
    connection.execute(delete(tables.shadow_run).where(tables.shadow_run.c.run_key.in_(run_keys)))
