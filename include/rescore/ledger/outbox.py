"""What is owed to the world: claimed under a lease, sent by somebody else, settled with what became of it.

A claim is free when it is due and nobody holds an unexpired lease on it. Whoever sends must be done before
the lease ends: a settlement under a lost lease changes nothing, because somebody else sends by then.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4
from zlib import crc32

from sqlalchemy import ColumnElement, Connection, Table, bindparam, case, insert, or_, select, update

from rescore.ledger import tables

BACKOFF = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
)
"""The wait after the first failure, the second, ...; from the last on it stays the same."""


def backoff(tries: int, *, key: str) -> timedelta:
    """The wait after `tries` failures; up to a tenth longer, by `key`, so that not all come back at once."""
    wait = BACKOFF[min(tries, len(BACKOFF)) - 1]
    return wait * (1 + crc32(f"{key}|{tries}".encode()) % 1000 / 10_000)


# ── scores to CRMs: level-triggered ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SyncClaim:
    """One lead's committed score that a target should show; `ver` is the version these values are.

    `reasons` are the top reasons as {rule, label, points in thousandths}; `rules_version` is the sequence
    number of the rules that gave this score.
    """

    target: str
    scorecard: str
    lead: str
    ver: int
    tries: int
    lease: str
    score: int | None
    band: str | None
    dimensions: dict[str, int | None] = field(repr=False)
    reasons: list[dict[str, Any]] = field(repr=False)
    changed_at: datetime
    rules_version: int


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of a claim; not ok and not `retryable` parks it until its score changes again."""

    claim: SyncClaim
    ok: bool
    reason: str | None = None
    retryable: bool = False
    retry_after: float | None = None


def claim_syncs(
    connection: Connection, *, target: str, worker: str, now: datetime, lease: timedelta, limit: int
) -> list[SyncClaim]:
    """Take up to `limit` due leads in lead order, so that a lead's scorecards come together."""
    sync, score, activation = tables.sync, tables.score, tables.activation
    token = f"{worker}#{uuid4().hex[:12]}"
    rows = connection.execute(
        select(
            score.c.scorecard,
            score.c.lead,
            score.c.ver,
            sync.c.tries,
            score.c.score,
            score.c.band,
            score.c.dimensions,
            score.c.reasons,
            score.c.changed_at,
            activation.c.version_seq.label("rules_version"),
        )
        .select_from(sync)
        .join(score, (score.c.scorecard == sync.c.scorecard) & (score.c.lead == sync.c.lead))
        .join(
            activation,
            (activation.c.scorecard == score.c.scorecard)
            & (activation.c.activation_seq == score.c.activation_seq),
        )
        .where(sync.c.target == target, _free(sync, now))
        .order_by(sync.c.lead)
        .limit(limit)
        .with_for_update(of=sync, skip_locked=True)
    ).all()
    claims = [
        SyncClaim(
            **(
                dict(row._mapping)
                | {
                    "target": target,
                    "lease": token,
                    "dimensions": json.loads(row.dimensions),
                    "reasons": json.loads(row.reasons),
                }
            )
        )
        for row in rows
    ]
    if claims:
        connection.execute(
            update(sync)
            .where(
                sync.c.target == target,
                sync.c.scorecard == bindparam("for_scorecard"),
                sync.c.lead == bindparam("for_lead"),
            )
            .values(lease_by=token, lease_until=now + lease),
            [{"for_scorecard": claim.scorecard, "for_lead": claim.lead} for claim in claims],
        )
    return claims


def settle_syncs(connection: Connection, results: Iterable[SyncResult], *, now: datetime) -> Counter[str]:
    """Note what became of claims, each by its own key and with the version that was sent.

    A lead whose score moved on while it was being sent stays due.

    Returns:
        Counts: `acknowledged`, `deferred`, `parked`; `lost` for those whose lease had passed to another.
    """
    sync = tables.sync
    sent: Any = bindparam("sent")
    mine = (
        (sync.c.target == bindparam("for_target"))
        & (sync.c.scorecard == bindparam("for_scorecard"))
        & (sync.c.lead == bindparam("for_lead"))
        & (sync.c.lease_by == bindparam("lease"))
    )
    free = {"lease_by": None, "lease_until": None}
    current = sync.c.want_ver <= sent
    statements = {
        "acknowledged": update(sync)
        .where(mine)
        .values(
            acked_ver=case((sync.c.acked_ver > sent, sync.c.acked_ver), else_=sent),
            state=case((current, "settled"), else_="due"),
            tries=0,
            next_at=None,
            reason=None,
            **free,
        ),
        "deferred": update(sync)
        .where(mine)
        .values(tries=sync.c.tries + 1, next_at=bindparam("then"), reason=bindparam("why"), **free),
        "parked": update(sync)
        .where(mine)
        .values(state=case((current, "parked"), else_="due"), reason=bindparam("why"), **free),
    }
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in statements}
    for result in sorted(results, key=lambda result: (result.claim.scorecard, result.claim.lead)):
        claim = result.claim
        row = {
            "for_target": claim.target,
            "for_scorecard": claim.scorecard,
            "for_lead": claim.lead,
            "lease": claim.lease,
            "sent": claim.ver,
        }
        if result.ok:
            groups["acknowledged"].append(row)
        elif result.retryable:
            key = f"{claim.target}|{claim.scorecard}|{claim.lead}"
            then = now + _wait(claim.tries + 1, key, result.retry_after)
            groups["deferred"].append(row | {"then": then, "why": result.reason})
        else:
            groups["parked"].append(row | {"why": result.reason})
    counts: Counter[str] = Counter()
    for name, rows in groups.items():
        if rows:
            counts[name] = connection.execute(statements[name], rows).rowcount
            counts["lost"] += len(rows) - counts[name]
    return +counts


def release_syncs(connection: Connection, claims: Iterable[SyncClaim]) -> None:
    """Give claims back unsent: no try is spent and they are due at once."""
    for lease in sorted({claim.lease for claim in claims}):
        connection.execute(
            update(tables.sync).where(tables.sync.c.lease_by == lease).values(lease_by=None, lease_until=None)
        )


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


# ── crossings to automations: edge-triggered ─────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """One delivery to send now: its id and body never change; `attempt_id` is the row that waits for news."""

    delivery_id: str
    scorecard: str
    automation: str
    lead: str
    connection: str
    body: bytes = field(repr=False)
    tries: int
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


def claim_deliveries(
    connection: Connection, *, worker: str, now: datetime, lease: timedelta, limit: int
) -> list[DeliveryClaim]:
    """Take up to `limit` due deliveries, oldest first, and note an attempt at each before it is made."""
    table = tables.delivery
    token = f"{worker}#{uuid4().hex[:12]}"
    due = connection.execute(
        select(table)
        .where(_free(table, now))
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
            connection=row.connection,
            body=bytes(row.body),
            tries=row.tries,
            lease=token,
            attempt_id=numbers[row.delivery_id],
        )
        for row in due
    ]


def settle_deliveries(
    connection: Connection, results: Sequence[DeliveryResult], *, now: datetime
) -> Counter[str]:
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
    then = now + _wait(failures, claim.delivery_id, result.retry_after)
    return "deferred", {"tries": failures, "next_at": then, "reason": reason}


def _wait(tries: int, key: str, asked: float | None) -> timedelta:
    """The receiver's own wish wins."""
    return backoff(tries, key=key) if asked is None else timedelta(seconds=asked)


def _free(table: Table, now: datetime) -> ColumnElement[bool]:
    """Due, nobody's, and of a scorecard that is not paused."""
    paused = select(tables.control.c.scorecard).where(tables.control.c.paused)
    return (
        (table.c.state == "due")
        & or_(table.c.next_at.is_(None), table.c.next_at <= now)
        & or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
        & table.c.scorecard.not_in(paused)
    )
