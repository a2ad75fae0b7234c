"""What targets are owed and do not get now: rehearsals and small changes; and how much is waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, func, select, update

from rescore.ledger import tables
from rescore.ledger.outbox.wishes import SCORE


def set_small(connection: Connection, target: str, minimum_change: Mapping[str, int | None]) -> Counter[str]:
    """Put aside what moved by less than a scorecard's minimum since it was shown, and take up the rest.

    Only a change of the score is small: one of the band and a crossing have a priority of their own, a first
    score and an exit from the audience have nothing to be held against.

    Returns:
        Counts of leads that moved: `small` aside, `due` back.
    """
    sync, score, moved = tables.sync, tables.score, Counter[str]()
    wanted = and_(score.c.scorecard == sync.c.scorecard, score.c.lead == sync.c.lead)
    for scorecard, minimum in minimum_change.items():
        small = (
            select(score.c.lead)
            .where(
                wanted,
                func.abs(score.c.score - sync.c.shown_score) < (minimum or 0),
            )
            .correlate(sync)
            .exists()
        )
        mine = and_(sync.c.target == target, sync.c.scorecard == scorecard, sync.c.lease_by.is_(None))
        aside = update(sync).where(mine, sync.c.state == "due", sync.c.priority == SCORE, small)
        back = update(sync).where(mine, sync.c.state == "small", ~small)
        moved["small"] += connection.execute(aside.values(state="small")).rowcount
        moved["due"] += connection.execute(back.values(state="due")).rowcount
    return +moved


def backlog(
    connection: Connection, target: str, *, live: Collection[str]
) -> tuple[dict[int, int], datetime | None]:
    """How many writes these scorecards owe a target, by priority, and when the last may be tried again."""
    sync = tables.sync
    rows = connection.execute(
        select(sync.c.priority, func.count(), func.max(sync.c.next_at))
        .where(sync.c.target == target, sync.c.state == "due", sync.c.scorecard.in_(live))
        .group_by(sync.c.priority)
        .order_by(sync.c.priority)
    ).all()
    waits = [row[2] for row in rows if row[2] is not None]
    return {row[0]: row[1] for row in rows}, max(waits, default=None)


def set_modes(connection: Connection, target: str, *, live: Collection[str]) -> Counter[str]:
    """Bring these scorecards out of the target's shadow, and put every other one that is due into it.

    In the shadow nothing is sent, and everything is known that would be.

    Returns:
        Counts of leads that moved: `shadow` into it, `due` out of it.
    """
    sync = tables.sync
    moves = {
        "shadow": (sync.c.state == "due") & sync.c.scorecard.not_in(live),
        "due": (sync.c.state == "shadow") & sync.c.scorecard.in_(live),
    }
    moved = {
        state: connection.execute(
            update(sync).where(sync.c.target == target, chosen).values(state=state)
        ).rowcount
        for state, chosen in moves.items()
    }
    return +Counter(moved)
