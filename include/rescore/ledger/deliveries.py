"""Deliveries owed to receivers, edge-triggered: one per automation, lead, arming and action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from rescore.delivery.outcome import BACKOFF
from rescore.ledger import leases, tables
from rescore.rules.actions import ActionKind


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """One delivery to send now: its id and body never change; `attempt_id` is the row that waits for news.

    `kind` says whose body it is (`rescore.action_body`), `connection` is the Airflow Connection it goes to,
    or the mapping's name of a CRM. `uncertain`: nobody knows whether an earlier attempt had its effect.
    """

    delivery_id: str
    scorecard: str
    automation: str
    lead: str
    kind: ActionKind
    connection: str
    body: bytes = field(repr=False)
    tries: int
    uncertain: bool
    lease: str
    attempt_id: int


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of a claim.

    `ok` delivered. `transient` and `unknown` (it may have arrived) are sent again later, same id and body.
    `refused` is parked. `unready` was never sent: it is tried again in five minutes and spends no try.
    """

    claim: DeliveryClaim
    outcome: Literal["ok", "transient", "refused", "unknown", "unready"]
    reason: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, or one that was about to be made: `unknown` until we hear."""

    attempt_id: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str | None


def claim(
    connection: Connection, *, worker: str, now: datetime, lease: timedelta, limit: int
) -> list[DeliveryClaim]:
    """Take up to `limit` due deliveries, oldest first, and note an attempt at each before it is made."""
    table = tables.delivery
    token = leases.token(worker)
    due = connection.execute(
        select(table)
        .where(leases.free(table, now))
        .order_by(table.c.created_at, table.c.delivery_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not due:
        return []
    connection.execute(
        update(table)
        .where(table.c.delivery_id.in_([row.delivery_id for row in due]))
        .values(lease_by=token, lease_until=now + lease)
    )
    earlier = tables.attempt
    uncertain = set(
        connection.scalars(
            select(earlier.c.delivery_id).where(
                earlier.c.delivery_id.in_([row.delivery_id for row in due]), earlier.c.outcome == "unknown"
            )
        )
    )
    attempts = connection.execute(
        insert(tables.attempt).returning(tables.attempt.c.delivery_id, tables.attempt.c.attempt_id),
        [{"delivery_id": row.delivery_id, "started_at": now, "outcome": "unknown"} for row in due],
    )
    numbers = {row.delivery_id: row.attempt_id for row in attempts}
    return [
        DeliveryClaim(
            delivery_id=row.delivery_id,
            scorecard=row.scorecard,
            automation=row.automation,
            lead=row.lead,
            kind=row.kind,
            connection=row.connection,
            body=bytes(row.body),
            tries=row.tries,
            uncertain=row.delivery_id in uncertain,
            lease=token,
            attempt_id=numbers[row.delivery_id],
        )
        for row in due
    ]


def settle(connection: Connection, results: Sequence[DeliveryResult], *, now: datetime) -> Counter[str]:
    """Note what became of claims; after the last wait of `BACKOFF` a delivery is parked.

    Returns:
        Counts: `delivered`, `deferred`, `parked`, `unready`; `lost` for those whose lease had passed on.
    """
    attempt, counts = tables.attempt, Counter[str]()
    for result in sorted(results, key=lambda result: result.claim.delivery_id):
        claim = result.claim
        connection.execute(
            update(attempt)
            .where(attempt.c.attempt_id == claim.attempt_id)
            .values(ended_at=now, outcome=result.outcome, detail=result.reason)
        )
        settled, values = _settled(result, now)
        table = tables.delivery
        mine = (table.c.delivery_id == claim.delivery_id) & (table.c.lease_by == claim.lease)
        if settled != "delivered":  # what was cancelled meanwhile stays so; what arrived, arrived
            mine &= table.c.state == "due"
        found = connection.execute(
            update(table).where(mine).values(lease_by=None, lease_until=None, **values)
        ).rowcount
        counts[settled if found else "lost"] += 1
    return counts


def attempts(connection: Connection, delivery_id: str) -> list[Attempt]:
    """Every attempt at a delivery, oldest first."""
    table = tables.attempt
    columns = [table.c[name] for name in Attempt.__slots__]
    rows = connection.execute(
        select(*columns).where(table.c.delivery_id == delivery_id).order_by(table.c.attempt_id)
    )
    return [Attempt(**row._mapping) for row in rows]


def _settled(result: DeliveryResult, now: datetime) -> tuple[str, dict[str, Any]]:
    claim, reason = result.claim, result.reason
    failures = claim.tries + 1
    match result.outcome:
        case "ok":
            return "delivered", {"state": "delivered", "settled_at": now, "tries": failures, "reason": None}
        case "unready":
            return "unready", {"next_at": now + BACKOFF[1], "reason": reason}
        case "refused":
            return "parked", {"state": "parked", "settled_at": now, "tries": failures, "reason": reason}
    if failures > len(BACKOFF):
        given_up = f"gave up after {failures} attempts: {reason}"
        return "parked", {"state": "parked", "settled_at": now, "tries": failures, "reason": given_up}
    then = now + leases.wait(failures, claim.delivery_id, result.retry_after)
    return "deferred", {"tries": failures, "next_at": then, "reason": reason}
