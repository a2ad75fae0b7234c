"""What a person does about scores that CRMs did not take: looks at them, lets them be written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, update

from rescore.ledger import tables
from rescore.withheld import DELETED, MERGED

SYNC, SCORE = tables.sync, tables.score

STANDING = (SYNC.c.state, SCORE.c.withheld)
AGAIN = ("due", "parked", "deleted")
"""States that a person can end; in the others nothing is owed, or not now on purpose."""

BEING_WRITTEN = "being written"
"""The count of those that a run is writing at this moment, and the standing of each."""
GONE = {DELETED: "deleted in the CRM", MERGED: "merged into another"}
"""How leads stand that the CRM itself told us about."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of them; what is None chooses all."""

    leads: Collection[str] | None = None
    states: Collection[str] | None = None
    target: str | None = None
    scorecard: str | None = None

    def rows(self) -> list[ColumnElement[bool]]:
        """As conditions on `sync`."""
        conditions: list[ColumnElement[bool]] = []
        for given, named in ((self.leads, SYNC.c.lead), (self.states, SYNC.c.state)):
            if given is not None:
                conditions.append(named.in_(given))
        for value, column in ((self.target, SYNC.c.target), (self.scorecard, SYNC.c.scorecard)):
            if value is not None:
                conditions.append(column == value)
        return conditions


def in_trouble(connection: Connection, chosen: Chosen, *, limit: int) -> Sequence[Row[Any]]:
    """Those that failed last time: parked, deleted, or due again later; in lead order."""
    names = ("lead", "scorecard", "target", "state", "tries", "next_at", "reason")
    return connection.execute(
        select(*(SYNC.c[name] for name in names))
        .where(*chosen.rows(), SYNC.c.state.in_(AGAIN), SYNC.c.reason.is_not(None))
        .order_by(SYNC.c.lead, SYNC.c.scorecard, SYNC.c.target)
        .limit(limit)
    ).all()


def standing(connection: Connection, chosen: Chosen) -> dict[str, set[str]]:
    """How the scores of each lead stand, in any target: their states, `BEING_WRITTEN`, or one of `GONE`."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(_with_scores(chosen, SYNC.c.lead, SYNC.c.lease_by, *STANDING)):
        found.setdefault(row.lead, set()).add(_stands(row) if row.lease_by is None else BEING_WRITTEN)
    return found


def retry(connection: Connection, chosen: Chosen, *, by: str, dry_run: bool = False) -> Counter[str]:
    """Let the next run write scores, with all their tries anew; also where a CRM said that nobody is there.

    A lead that the CRM itself told us is deleted, or merged into another, is left alone, and so is one that
    is being written at this moment.

    Returns:
        Counts: `again`, and those left alone by how they stand.
    """
    rows = connection.execute(
        _with_scores(chosen, SYNC.c.scorecard, SYNC.c.lead, SYNC.c.target, *STANDING)
        .where(SYNC.c.lease_by.is_(None))
        .order_by(SYNC.c.scorecard, SYNC.c.lead, SYNC.c.target)
        .with_for_update(of=SYNC, skip_locked=True)
    ).all()
    everybody = connection.scalar(_with_scores(chosen, func.count())) or 0
    again = [row for row in rows if _stands(row) in AGAIN]
    counts = Counter(how for how in map(_stands, rows) if how not in AGAIN)
    counts |= {"again": len(again), BEING_WRITTEN: everybody - len(rows)}
    if again and not dry_run:
        fresh = {
            "state": "due",
            "tries": 0,
            "next_at": None,
            "failure": None,
            "reason": f"sent again by {by}",
        }
        connection.execute(
            update(SYNC)
            .where(*(SYNC.c[name] == bindparam(f"of_{name}") for name in ("scorecard", "lead", "target")))
            .values(fresh | {"reason": f"sent again by {by}"}),
            [{"of_scorecard": row.scorecard, "of_lead": row.lead, "of_target": row.target} for row in again],
        )
    return +counts


def _with_scores(chosen: Chosen, *columns: Any) -> Select[Any]:
    mine = (SCORE.c.scorecard == SYNC.c.scorecard) & (SCORE.c.lead == SYNC.c.lead)
    return select(*columns).select_from(SYNC).join(SCORE, mine).where(*chosen.rows())


def _stands(row: Row[Any]) -> str:
    stands: str = GONE.get(row.withheld, row.state)
    return stands
