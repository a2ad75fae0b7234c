"""Leases on what is owed to the world: when something may be taken up, and how long a failure waits.

A claim is free when it is due and nobody holds an unexpired lease on it. Whoever sends must be done before
the lease ends: a settlement under a lost lease changes nothing, because somebody else sends by then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4
from zlib import crc32

from sqlalchemy import ColumnElement, Table, or_, select

from rescore.ledger import tables
from rescore.ledger.outbox import restored
from rescore.outcome import BACKOFF, CONSEQUENCES, UNREADY_WAIT, Outcome

LONGEST_WISH = timedelta(days=2)
"""A receiver that asks for more is mistaken, or means never."""


def token(worker: str) -> str:
    """The name of one lease: who holds it, and a part that no other lease has."""
    return f"{worker}#{uuid4().hex[:12]}"


def backoff(tries: int, *, key: str) -> timedelta:
    """The wait after `tries` failures; up to a tenth longer, by `key`, so that not all come back at once."""
    wait = BACKOFF[min(tries, len(BACKOFF)) - 1]
    return wait * (1 + crc32(f"{key}|{tries}".encode()) % 1000 / 10_000)


def wait(tries: int, key: str, asked: float | None) -> timedelta:
    """The receiver's own wish wins, up to `LONGEST_WISH`."""
    return backoff(tries, key=key) if asked is None else granted(asked)


def granted(asked: float, *, least: float = 0.0) -> timedelta:
    """The wait for a wish of so many seconds, however many: some say `inf`."""
    return timedelta(seconds=min(max(least, asked), LONGEST_WISH.total_seconds()))


def next_at(outcome: Outcome, *, tries: int, key: str, now: datetime) -> datetime | None:
    """When a thing that is due again may be taken up; None: at once, because its Connection's breaker waits.

    `tries` counts those spent, the one just made included if it was; `key` names the thing.
    """
    if outcome.kind == "unready":
        return now + UNREADY_WAIT
    if not CONSEQUENCES[outcome.kind].spends_try:
        return None  # whatever wait was asked for is the breaker's, which a person may close
    return now + wait(tries, key, outcome.retry_after)


def free(table: Table, now: datetime) -> ColumnElement[bool]:
    """Due, nobody's, of a scorecard that is not paused, and in a ledger that need not be resumed first."""
    paused = select(tables.control.c.scorecard).where(tables.control.c.paused)
    held = select(tables.installation.c.name).where(tables.installation.c.name == restored.NAME)
    return (
        (table.c.state == "due")
        & or_(table.c.next_at.is_(None), table.c.next_at <= now)
        & or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
        & table.c.scorecard.not_in(paused)
        & ~held.exists()
    )
