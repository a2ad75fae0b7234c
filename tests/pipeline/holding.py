"""Holds as tests meet them: what is open, what a person answers, and what of the world must not change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table

from rescore.ledger import tables
from rescore.ledger.rules import activations, holds
from rescore.ledger.rules.holds import Answer, Hold
from rescore.pipeline.holds import decide
from tests.support.main_job import RULES, Job

BOLD = RULES.replace("points: 10", "points: 30")
MILD = RULES.replace("points: 10", "points: 11")
"""Both leads go from band B to A under the bold rules, and stay where they are under the mild ones."""


def rows(job: Job, table: Table, *columns: Column[Any]) -> list[tuple[Any, ...]]:
    """Some columns of a table, sorted."""
    with job.ws.ledger.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(table.select().with_only_columns(*columns)))


def world_of(job: Job) -> list[list[tuple[Any, ...]]]:
    """Everything outside the stage that an edit or a run could change."""
    outside = [tables.score, tables.delta, tables.sync, tables.arming, tables.delivery, tables.crossing]
    return [rows(job, table, *table.c) for table in outside]


def versions(job: Job, scorecard: str = "b2b_saas") -> dict[int, str]:
    """The status of every version of a scorecard."""
    version = tables.rules_version
    found = rows(job, version, version.c.scorecard, version.c.seq, version.c.status)
    return {seq: status for name, seq, status in found if name == scorecard}


def in_force(job: Job, scorecard: str = "b2b_saas") -> int:
    """The version in force."""
    with job.ws.ledger.reading() as connection:
        active = activations.active(connection, scorecard)
    assert active is not None
    return active.version_seq


def open_holds(job: Job) -> list[Hold]:
    """What waits for an answer, oldest first."""
    with job.ws.ledger.reading() as connection:
        return holds.open_holds(connection)


def answer(job: Job, answer: Answer = "release", **how: Any) -> Counter[str]:
    """Rita answers the only open hold."""
    [hold] = open_holds(job)
    return decide(job.ws, hold.hold_id, answer, by="rita", at=job.now, **how)


def release_and_be_killed(job: Job) -> None:
    """The only open hold is released, and whoever noted it dies before carrying it out."""
    [hold] = open_holds(job)
    with job.ws.ledger.transaction() as connection:
        holds.close(connection, hold, holds.RELEASED, at=job.now, by="rita")


def careful(job: Job, folder: Path) -> Job:
    """The job after its first run, with two leads and a policy that holds every second band move."""
    policy = folder / "policy.yaml"
    policy.write_text("band_moves: {leads: 0, share: 40%}\ncrossings: {leads: 5}\n")
    job.use_policy(policy)
    job.visit("ada", number=1)
    job.visit("bob", number=2)
    job.run()
    return job
