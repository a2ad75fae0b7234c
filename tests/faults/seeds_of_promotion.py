"""Bugs in how results become the state of record: guards, marks, and what is one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, true, update

from rescore.automations.state_machine import Machine
from rescore.ledger import tables
from rescore.ledger.promotion import promotion
from rescore.ledger.rules import activations
from rescore.ledger.scores import runs, stage, streams
from rescore.ledger.scores.chunk import Chunk
from rescore.ledger.scores.runs import Run
from rescore.ledger.transaction import Ledger
from tests.faults.breaking import apart, instead, replaced
from tests.faults.hunts import in_orders, in_story
from tests.faults.scenarios_of_runs import RUN_AND_LANDING, TWO_RUNS
from tests.faults.seed import Seed

DIRTY, ACTIVATION = tables.dirty, tables.activation


@contextmanager
def promoting_without_a_guard() -> Iterator[None]:
    real = Chunk.__init__

    def begins(self: Chunk, *how: Any) -> None:
        real(self, *how)
        self.wins = true()

    with instead(Chunk, "__init__", begins):
        yield


def _clear_every_mark(self: Chunk) -> None:
    promoted = self.rows(tables.stage_score.c.lead).scalar_subquery()
    self._connection.execute(
        delete(DIRTY).where(DIRTY.c.scorecard == self.run.scorecard, DIRTY.c.lead.in_(promoted))
    )


@contextmanager
def marks_cleared_before_the_promotion() -> Iterator[None]:
    real = promotion.promote

    def promotes(ledger: Ledger, run: Run, *args: Any, **how: Any) -> Any:
        staged = select(tables.stage_score.c.lead).where(tables.stage_score.c.run_key == run.run_key)
        with ledger.transaction() as connection:
            connection.execute(delete(DIRTY).where(DIRTY.c.lead.in_(staged)))
        return real(ledger, run, *args, **how)

    with instead(promotion, "promote", promotes):
        yield


@contextmanager
def input_version_pinned_when_staged() -> Iterator[None]:
    real = stage.stage

    def stages(connection: Connection, run: Run, rows: Any) -> None:
        real(connection, run, rows)
        mine = tables.run.c.run_key == run.run_key
        number = streams.input_ver(connection)
        connection.execute(update(tables.run).where(mine).values(input_ver=number))

    with instead(stage, "stage", stages):
        yield


@contextmanager
def nothing_gets_ready_again() -> Iterator[None]:
    real = Machine.__init__

    def begins(self: Machine, *how: Any) -> None:
        real(self, *how)
        self._ready = lambda values: False

    with instead(Machine, "__init__", begins):
        yield


@contextmanager
def rescore_settled_when_it_starts() -> Iterator[None]:
    real = runs.start_run

    def starts(connection: Connection, *, kind: str, scorecard: str, at: datetime, **how: Any) -> Run:
        if kind == runs.RESCORE:
            owed = (ACTIVATION.c.scorecard == scorecard) & ACTIVATION.c.rescored_at.is_(None)
            connection.execute(update(ACTIVATION).where(owed).values(rescored_at=at))
        return real(connection, kind=kind, scorecard=scorecard, at=at, **how)

    with instead(runs, "start_run", starts):
        yield


@contextmanager
def rules_edits_owe_no_rescore() -> Iterator[None]:
    real = activations.activate

    def activates(connection: Connection, *, at: datetime, **how: Any) -> Any:
        activation = real(connection, at=at, **how)
        connection.execute(update(ACTIVATION).values(rescored_at=at))
        return activation

    with instead(activations, "activate", activates):
        yield


SEEDS = (
    Seed(
        "promotions have no guard",
        promoting_without_a_guard,
        in_orders(TWO_RUNS),
        "and has 105 points of record",
    ),
    Seed(
        "a promotion clears marks of facts that it has not seen",
        replaced(Chunk, "clear_marks", _clear_every_mark),
        in_orders(RUN_AND_LANDING),
        "and has 105 points of record",
    ),
    Seed(
        "the input version is pinned after the facts are read",
        input_version_pinned_when_staged,
        in_orders(RUN_AND_LANDING),
        "and has 105 points of record",
    ),
    Seed(
        "marks are cleared before the promotion",
        marks_cleared_before_the_promotion,
        in_story("crossing", at="INSERT INTO score"),
        "points of record and is worth",
    ),
    Seed(
        "deltas are committed after their scores",
        apart(tables.delta, Chunk, "write_deltas"),
        in_story("crossing", at="INSERT INTO delta"),
        "has no delta",
    ),
    Seed(
        "what CRMs should show is committed after the scores",
        apart(tables.sync, promotion, "want"),
        in_story("crossing", at="INSERT INTO sync"),
        "and hubspot shows",
    ),
    Seed(
        "an automation never gets ready again",
        nothing_gets_ready_again,
        in_story("opted out"),
        "without a fault there would be",
    ),
    Seed(
        "a rescore counts as done when it starts",
        rescore_settled_when_it_starts,
        in_story("rules edited", at="INSERT INTO score"),
        "points of record and is worth",
    ),
    Seed(
        "an edit of the rules owes no rescore",
        rules_edits_owe_no_rescore,
        in_story("rules edited"),
        "points of record and is worth",
    ),
)
