"""Where the story is played with faults: every chapter's beginning, kept, and what must have come of it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select

from rescore.ledger import tables
from rescore.model import split_lead_key
from tests.faults import homes, story
from tests.faults.changes import untold_changes
from tests.faults.crash import Points, watched
from tests.faults.homes import Database, Snapshot
from tests.faults.invariants import violations
from tests.faults.life import LONGER_THAN_ANY_LEASE, Life
from tests.faults.report import Say
from tests.support import databases

WORKERS = 2
MOST_ANSWERS = 4
Case = TypeVar("Case")
Result = TypeVar("Result")

Outcome = frozenset[tuple[object, ...]]
"""What a life has led to, whenever it did: deliveries, and where automations stand."""


class Restless(Exception):
    """Run after run tells the world something, or leaves something owed."""


@dataclass(frozen=True)
class Known:
    """A chapter as it is without a fault: where it begins, its points, and what it leads to."""

    number: int
    begins: Snapshot
    points: int
    effects: list[int]
    outcome: Outcome

    @property
    def chapter(self) -> story.Chapter:
        """As it is written."""
        return story.CHAPTERS[self.number]

    def problems(self, life: Life) -> list[str]:
        """What does not hold of a life that came through this chapter, whatever happened in it."""
        found = broken(life, self.chapter)
        came = outcome_of(life)
        found += [f"without a fault there would be {what}" for what in sorted(map(str, self.outcome - came))]
        found += [
            f"without a fault there would be no {what}" for what in sorted(map(str, came - self.outcome))
        ]
        return found


@dataclass
class Stage:
    """What a worker needs: a place of its own, and the story as each database knows it."""

    place: Path
    known: dict[Database, list[Known]] = field(default_factory=dict)


def recover(life: Life, chapter: story.Chapter, *, retry: bool) -> None:
    """What follows the death of a process: maybe Airflow's retry, then the hourly DAG and the next runs.

    Raises:
        Restless: They do not come to an end.
    """
    life.reopen()
    if retry and life.last is not None:
        life.run(again=life.last)
    life.now += LONGER_THAN_ANY_LEASE
    life.reconcile()
    for _ in range(MOST_ANSWERS):
        if not life.settle():
            raise Restless("the runs do not come to rest")
        if not chapter.again(life):
            return
    raise Restless("the same question is asked again and again")


def broken(life: Life, chapter: story.Chapter) -> list[str]:
    """The promises that do not hold, by the facts and by an arithmetic of its own."""
    life.reopen()
    found = violations(life.ws, life.world, now=life.now, truth=chapter.true_scores(life.world))
    with life.ws.ledger.reading() as connection:
        found += untold_changes(connection, life.now)
        parked = connection.scalars(select(tables.sync.c.lead).where(tables.sync.c.state == "parked"))
        refused = life.world.crm.refusals
        found += [f"{lead} is parked and nobody refused it" for lead in parked if _id(lead) not in refused]
    return found


def _id(lead: str) -> str:
    return split_lead_key(lead)[1]


def outcome_of(life: Life) -> Outcome:
    """See `Outcome`."""
    delivery, arming = tables.delivery, tables.arming
    which = [delivery.c[name] for name in ("automation", "lead", "n", "action")]
    where = [arming.c[name] for name in ("automation", "lead", "n", "state")]
    with life.ws.ledger.reading() as connection:
        rows = [*connection.execute(select(*which)), *connection.execute(select(*where))]
    return frozenset(tuple(row) for row in rows)


@contextmanager
def told(databases_: Sequence[Database], chapters: Sequence[story.Chapter], say: Say) -> Iterator[Stage]:
    """The story on each database without a fault, kept as it was before each chapter."""
    with homes.scratch() as place, ExitStack() as rest:
        stage = Stage(place)
        for database in databases_:
            stage.known[database] = rest.enter_context(_told(database, place, chapters))
            points = sum(known.points for known in stage.known[database])
            effects = sum(len(known.effects) for known in stage.known[database])
            say(f"{database}: {points:,} points in the story, {effects:,} of them at effects")
        yield stage


@contextmanager
def _told(database: Database, place: Path, chapters: Sequence[story.Chapter]) -> Iterator[list[Known]]:
    kept: list[Known] = []
    with homes.new_life(place, database) as life, ExitStack() as templates:
        story.begin(life)
        for number, chapter in enumerate(chapters):
            begins = homes.take(life, place / f"{database}-{number}", database)
            if begins.template is not None:
                templates.callback(databases.drop, begins.template)
            chapter.happens(life)
            points = Points()
            with watched(life, points):
                chapter.act(life)
            life.settle()
            if problems := broken(life, chapter):
                raise AssertionError(f"{chapter.name} breaks a promise without any fault: {problems}")
            kept.append(Known(number, begins, len(points.path), points.effects, outcome_of(life)))
        yield kept


_stage: Stage


@contextmanager
def workers(stage: Stage) -> Iterator[ProcessPoolExecutor]:
    """As many processes as there are cores, each with the stage in `here`.

    They are forked from a process that has not used the lake's threads, which no fork survives.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.stage"])
    pool = ProcessPoolExecutor(WORKERS, context, _begin, (stage, databases.server_url()))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)  # or whoever interrupts would wait for all the rest


def here() -> Stage:
    """The stage of this worker."""
    return _stage


def play(
    stage: Stage, cases: Iterable[Case], one: Callable[[Case], Result], pool: ProcessPoolExecutor | None
) -> Iterator[Result]:
    """What becomes of each case, in order: by the workers, or without any in this process."""
    if pool is not None:
        return pool.map(one, cases, chunksize=4)
    _begin(stage, databases.server_url())
    return map(one, cases)


def _begin(stage: Stage, server: str) -> None:
    global _stage
    _stage = stage
    os.environ[databases.URL] = server
