"""One scoring run of one scorecard: what it is pinned to, who may go on with it, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from rescore.errors import Fenced, InputUnreadable
from rescore.ledger import tables
from rescore.ledger.scores.streams import input_ver

INCREMENTAL, INITIAL, DAILY = "incremental", "initial", "daily"
RESCORE, THRESHOLDS = "rescore", "thresholds"
FULL = frozenset({INITIAL, DAILY, RESCORE, THRESHOLDS})
"""Kinds of run over everybody; an initial one is the first after the whole history was read.

A thresholds run computes no score: it judges the stored ones by the rules in force.
"""

SCORING, STAGED, HELD, PROMOTING = "scoring", "staged", "held", "promoting"
PROMOTED, DISCARDED, SUPERSEDED = "promoted", "discarded", "superseded"
OVER = frozenset({PROMOTED, DISCARDED, SUPERSEDED})
"""States in which nothing more becomes of a run."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as one attempt sees it; `fence` tells this attempt from a later one.

    Pinned at the first attempt and the same for all of them: `activation_seq`, `as_of`, `input_ver`, and
    `plan_hash`, the plan whose results it applies. `started_at` is when this attempt started.
    """

    run_key: str
    scorecard: str
    kind: str
    activation_seq: int
    plan_hash: str | None
    as_of: datetime
    input_ver: int
    fence: int
    state: str
    promoted_to: str | None
    counts: Mapping[str, int]
    started_at: datetime
    finished_at: datetime | None

    @property
    def full(self) -> bool:
        """Whether it is over everybody."""
        return self.kind in FULL


def start_run(
    connection: Connection,
    *,
    run_key: str,
    scorecard: str,
    kind: str,
    activation_seq: int,
    as_of: datetime,
    at: datetime,
    plan_hash: str | None = None,
    planned_input_ver: int | None = None,
) -> Run:
    """Open a run, or a further attempt at it: same pins, next fence, nothing of its promotion forgotten.

    Call it before anything is read from the lake: the input version is pinned here, and facts that land
    later must keep their marks. A run that applies a plan is pinned to the plan's.
    """
    row = connection.execute(
        update(tables.run)
        .where(tables.run.c.run_key == run_key)
        .values(
            fence=tables.run.c.fence + 1, state=SCORING, promoted_to=None, started_at=at, finished_at=None
        )
        .returning(*tables.run.c)
    ).one_or_none()
    if row is None:
        row = connection.execute(
            insert(tables.run)
            .values(
                run_key=run_key,
                scorecard=scorecard,
                kind=kind,
                activation_seq=activation_seq,
                plan_hash=plan_hash,
                as_of=as_of,
                input_ver=input_ver(connection) if planned_input_ver is None else planned_input_ver,
                fence=1,
                state=SCORING,
                counts="{}",
                started_at=at,
            )
            .returning(*tables.run.c)
        ).one()
    return _run(row)


def find(connection: Connection, run_key: str) -> Run:
    """The run as it stands.

    Raises:
        InputUnreadable: There is none of that key.
    """
    row = connection.execute(select(tables.run).where(tables.run.c.run_key == run_key)).one_or_none()
    if row is None:
        raise InputUnreadable(f"the ledger knows no run `{run_key}`; start it again from its first task")
    return _run(row)


def exists(connection: Connection, run_key: str) -> bool:
    """Whether an earlier attempt has opened it."""
    key = tables.run.c.run_key
    return connection.scalar(select(key).where(key == run_key)) is not None


def hold_fence(connection: Connection, run: Run) -> Run:
    """Lock the run until the end of the transaction and give its present row.

    Raises:
        Fenced: A newer attempt has taken it over.
    """
    row = connection.execute(
        select(tables.run).where(tables.run.c.run_key == run.run_key).with_for_update()
    ).one()
    if row.fence != run.fence:
        raise Fenced(f"a newer attempt at {run.run_key} has taken over; this one stops")
    return _run(row)


def set_state(connection: Connection, run: Run, state: str, **also: Any) -> None:
    """Move the run on; `also` are further columns of its row. Call under `hold_fence`."""
    connection.execute(
        update(tables.run).where(tables.run.c.run_key == run.run_key).values(state=state, **also)
    )


def add_counts(connection: Connection, run_key: str, counts: Mapping[str, int]) -> None:
    """Note counts under their names; a name noted before is replaced, so a retry does not count twice."""
    mine = tables.run.c.run_key == run_key
    known = json.loads(connection.scalars(select(tables.run.c.counts).where(mine).with_for_update()).one())
    connection.execute(update(tables.run).where(mine).values(counts=json.dumps(known | dict(counts))))


def dirty_leads(connection: Connection, scorecard: str) -> list[str]:
    """The leads whose score may have changed."""
    marks = select(tables.dirty.c.lead).where(tables.dirty.c.scorecard == scorecard)
    return list(connection.scalars(marks.order_by(tables.dirty.c.lead)))


def settle_absent(connection: Connection, run: Run) -> int:
    """Drop the marks of leads that a run was asked about and did not find; how many.

    Call it when all is staged. They are not in the lake (their activities came before them, or they count as
    another lead); the landing that brings such a lead marks it again.
    """
    dirty, stage = tables.dirty, tables.stage_score
    staged = select(stage.c.lead).where(stage.c.run_key == run.run_key, stage.c.lead == dirty.c.lead).exists()
    mine = (dirty.c.scorecard == run.scorecard) & (dirty.c.input_ver <= run.input_ver)
    return connection.execute(delete(dirty).where(mine, ~staged)).rowcount


def _run(row: Row[Any]) -> Run:
    return Run(
        run_key=row.run_key,
        scorecard=row.scorecard,
        kind=row.kind,
        activation_seq=row.activation_seq,
        plan_hash=row.plan_hash,
        as_of=row.as_of,
        input_ver=row.input_ver,
        fence=row.fence,
        state=row.state,
        promoted_to=row.promoted_to,
        counts=json.loads(row.counts),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
