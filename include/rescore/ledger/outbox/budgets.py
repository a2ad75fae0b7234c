"""Calls that all workers share: never above a limit in any span of time, and a day's quota with a reserve.

A limit of L calls in W seconds is given out as windows of about a tenth of it: any span of W seconds then
touches so few windows that L is never passed, wherever in a window the calls fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from rescore.ledger import tables
from rescore.ledger.upsert import insert

PART = 10


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of one allowance is spent in the window that began at `began_at`.

    `used` counts our calls, `seen_used` everybody's of `ceiling`, as far as the vendor tells.
    """

    connection: str
    allowance: str
    began_at: datetime
    used: int
    seen_used: int | None
    ceiling: int | None


def take(
    connection: Connection, name: str, allowance: str, *, limit: int, seconds: float, now: datetime
) -> float:
    """Count one call; 0 when it may begin now, else how many seconds to wait before asking again.

    Args:
        connection: A transaction of its own: calls of all workers queue behind it.
        name: The Connection.
        allowance: Which of its limits.
        limit: Calls in any `seconds`.
        seconds: See `limit`.
        now: The present.
    """
    part, width = window(limit, seconds)
    budget = _locked(connection, name, allowance, now)
    ends = budget.began_at + timedelta(seconds=width)
    if now >= ends:
        _write(connection, budget, began_at=now, used=1)
        return 0.0
    if budget.used < part:
        _write(connection, budget, used=budget.used + 1)
        return 0.0
    return (ends - max(now, budget.began_at)).total_seconds()


def window(limit: int, seconds: float) -> tuple[int, float]:
    """(calls a window, its width in seconds) such that no span of `seconds` holds more than `limit`."""
    part = max(1, limit // PART)
    return part, seconds / (limit if part == 1 else limit // part - 1)


def take_of_day(
    connection: Connection,
    name: str,
    *,
    limit: int,
    began_at: datetime,
    seen: tuple[int, int] | None = None,
) -> bool:
    """Count one call of a day's quota; False when our part of it is spent.

    Args:
        connection: A transaction.
        name: The Connection.
        limit: How many of the day's calls may be spent by everybody before we stop: the quota less the
            reserve for other apps.
        began_at: When the vendor's day began; a later one begins the count anew.
        seen: The vendor's own (used, ceiling) of this day, from its last answer: other apps count too.
    """
    budget = _locked(connection, name, "day", began_at)
    if budget.began_at < began_at:
        budget = Budget(name, "day", began_at, 0, None, None)
    seen_used, ceiling = seen or (budget.seen_used, budget.ceiling)
    allowed = spent(budget.used, seen_used) < limit
    _write(
        connection,
        budget,
        began_at=budget.began_at,
        used=budget.used + allowed,
        seen_used=seen_used,
        ceiling=ceiling,
    )
    return allowed


def spent(used: int, seen_used: int | None) -> int:
    """By everybody, as far as we know: the vendor's count lags, ours knows nothing of others."""
    return max(used, seen_used or 0)


def of_day(connection: Connection, name: str, *, began_at: datetime) -> Budget:
    """Where the day's quota stands."""
    table = tables.budget
    row = connection.execute(
        select(table).where(table.c.connection == name, table.c.allowance == "day")
    ).one_or_none()
    if row is None or row.began_at < began_at:
        return Budget(name, "day", began_at, 0, None, None)
    return Budget(**row._mapping)


def all_of_them(connection: Connection) -> list[Budget]:
    """Every allowance that was ever taken from."""
    table = tables.budget
    rows = connection.execute(select(table).order_by(table.c.connection, table.c.allowance))
    return [Budget(**row._mapping) for row in rows]


def _locked(connection: Connection, name: str, allowance: str, now: datetime) -> Budget:
    """The row of one allowance, made when there is none, locked until this transaction ends."""
    table = tables.budget
    new = insert(connection, table).values(connection=name, allowance=allowance, began_at=now, used=0)
    connection.execute(new.on_conflict_do_nothing())
    chosen = select(table).where(table.c.connection == name, table.c.allowance == allowance)
    return Budget(**connection.execute(chosen.with_for_update()).one()._mapping)


def _write(connection: Connection, budget: Budget, **values: object) -> None:
    table = tables.budget
    connection.execute(
        update(table)
        .where(table.c.connection == budget.connection, table.c.allowance == budget.allowance)
        .values(**values)
    )
