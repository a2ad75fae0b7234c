"""What a person does about scores that CRMs did not take: looks at them, lets them be written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from rescore.ledger import tables
from rescore.withheld import DELETED, MERGED

SYNC, SCORE = tables.sync, tables.score

AGAIN = ("due", "parked", "deleted")
"""States that a person can end; in the others nothing is owed, or not now on purpose."""


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


def retry(connection: Connection, chosen: Chosen, *, by: str, dry_run: bool = False) -> Counter[str]:
    """Let the next run write scores, with all their tries anew; also where a CRM said that nobody is there.

    A lead that the CRM itself told us is deleted, or merged into another, is left alone, and so is one that
    is being written at this moment.

    Returns:
        Counts: `again`, and those left alone by their state.
    """
    mine = (SCORE.c.scorecard == SYNC.c.scorecard) & (SCORE.c.lead == SYNC.c.lead)
    rows = connection.execute(
        select(SYNC.c.scorecard, SYNC.c.lead, SYNC.c.target, SYNC.c.state, SCORE.c.withheld)
        .join(SCORE, mine)
        .where(*chosen.rows(), SYNC.c.lease_by.is_(None))
        .order_by(SYNC.c.scorecard, SYNC.c.lead, SYNC.c.target)
        .with_for_update(of=SYNC, skip_locked=True)
    ).all()
    again = [row for row in rows if row.state in AGAIN and row.withheld not in (DELETED, MERGED)]
    counts = Counter(row.state for row in rows if row not in again)
    counts["again"] = len(again)
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
