"""Leases that ended without a word: their worker is gone, and what it had in hand is free again."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from rescore.ledger import tables


def rescue(connection: Connection, *, now: datetime) -> Counter[str]:
    """Give back what expired leases hold.

    The attempts that were under way stay `unknown`: nobody knows whether they had their effect, nor what a
    target shows by now.

    Returns:
        Counts: `rescued updates` and `rescued deliveries`, and the `unknown attempts` at the latter.
    """
    counts: Counter[str] = Counter()
    free = {"lease_by": None, "lease_until": None}
    delivery, attempt = tables.delivery, tables.attempt
    held = (delivery.c.lease_until <= now) & delivery.c.lease_by.is_not(None)
    counts["unknown attempts"] = connection.execute(
        select(func.count())
        .select_from(attempt)
        .join(delivery, delivery.c.delivery_id == attempt.c.delivery_id)
        .where(held, attempt.c.ended_at.is_(None))
    ).scalar_one()
    unknown = {"shown_score": None, "shown_band": None, "shown_hash": None}
    for name, table, also in (("updates", tables.sync, unknown), ("deliveries", delivery, {})):
        expired = (table.c.lease_until <= now) & table.c.lease_by.is_not(None)
        freed = update(table).where(expired).values(free | also)
        counts[f"rescued {name}"] = connection.execute(freed).rowcount
    return +counts
