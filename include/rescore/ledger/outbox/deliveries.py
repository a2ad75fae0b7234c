"""Deliveries owed to receivers, edge-triggered: one per automation, lead, arming and action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, case, func, insert, select, update

from rescore.ledger import tables
from rescore.ledger.outbox import breakers, leases
from rescore.outcome import CONSEQUENCES, Outcome, next_state
from rescore.rules.actions import ActionKind

DELIVERY, ATTEMPT, BREAKER = tables.delivery, tables.attempt, tables.breaker

UNREPEATABLE: frozenset[ActionKind] = frozenset({"email"})
"""Nobody can be asked whether it arrived, and nobody wants it twice: an unknown outcome parks it."""

IN_THE_CRM: frozenset[ActionKind] = frozenset({"crm_task", "crm_fields"})
"""What goes to a CRM, as scores do: a failure that opens its breaker is the CRM's, and spends no try."""

AGAIN = "again"
"""The attempt that is none: a person has looked, and lets a delivery be sent as if for the first time."""


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """One delivery to send now: its id and body never change; `attempt_id` is the row that waits for news.

    `kind` says whose body it is (`rescore.automations.action_body`), `connection` is the Airflow Connection
    it goes to, or the mapping's name of a CRM. `uncertain`: nobody knows whether an earlier attempt had its
    effect.
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
    """What became of a claim; `rescore.outcome` says what that leads to."""

    claim: DeliveryClaim
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a delivery is not sent now: it waits until `next_at`, or it ends."""

    state: Literal["due", "expired", "cancelled"]
    reason: str
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, or one that was about to be made: `unknown` until we hear. Or a person's word: `again`."""

    attempt_id: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str | None


def due(connection: Connection, *, now: datetime, limit: int) -> list[Row[Any]]:
    """Up to `limit` deliveries that may be sent, oldest first, locked; those of open breakers may not."""
    return list(
        connection.execute(
            select(DELIVERY)
            .where(leases.free(DELIVERY, now), DELIVERY.c.connection.not_in(_left_alone(now)))
            .order_by(DELIVERY.c.created_at, DELIVERY.c.delivery_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def waiting(connection: Connection, *, now: datetime) -> int:
    """How many could be sent if their Connection were not left alone."""
    held = leases.free(DELIVERY, now) & DELIVERY.c.connection.in_(_left_alone(now))
    return connection.scalar(select(func.count()).select_from(DELIVERY).where(held)) or 0


def set_aside(connection: Connection, delivery_id: str, unfit: Unfit, *, now: datetime) -> None:
    """Let a locked delivery wait, or end it; no attempt and no try is spent."""
    ended = {} if unfit.state == "due" else {"settled_at": now}
    connection.execute(
        update(DELIVERY)
        .where(DELIVERY.c.delivery_id == delivery_id)
        .values(state=unfit.state, reason=unfit.reason, next_at=unfit.next_at, **ended)
    )


def take(
    connection: Connection, rows: Sequence[Row[Any]], *, worker: str, now: datetime, lease: timedelta
) -> list[DeliveryClaim]:
    """Lease deliveries that are locked, and note an attempt at each before it is made."""
    ids = [row.delivery_id for row in rows]
    if not ids:
        return []
    token = leases.token(worker)
    uncertain = _uncertain(connection, ids)
    connection.execute(
        update(DELIVERY)
        .where(DELIVERY.c.delivery_id.in_(ids))
        .values(lease_by=token, lease_until=now + lease)
    )
    attempts = connection.execute(
        insert(ATTEMPT).returning(ATTEMPT.c.delivery_id, ATTEMPT.c.attempt_id),
        [{"delivery_id": name, "started_at": now, "outcome": "unknown"} for name in ids],
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
        for row in rows
    ]


def claim(
    connection: Connection, *, worker: str, now: datetime, lease: timedelta, limit: int
) -> list[DeliveryClaim]:
    """Take up to `limit` due deliveries, whatever their automations say of the time."""
    return take(connection, due(connection, now=now, limit=limit), worker=worker, now=now, lease=lease)


def settle(connection: Connection, results: Sequence[DeliveryResult], *, now: datetime) -> Counter[str]:
    """Note what became of claims, at the deliveries and at their Connections' breakers.

    A receiver that is gone for good (a webhook's 410) is left alone until a person closes its breaker, and
    whatever else was due to it is parked with it. A CRM that is down parks nothing; other receivers that stay
    down do in the end, or nobody would ever look.

    Returns:
        Counts: `delivered`, `deferred`, `parked`, `unready`; `lost` for those whose lease had passed on.
    """
    counts = Counter[str]()
    for result in sorted(results, key=lambda result: result.claim.delivery_id):
        claim, outcome = result.claim, result.outcome
        connection.execute(
            update(ATTEMPT)
            .where(ATTEMPT.c.attempt_id == claim.attempt_id)
            .values(ended_at=now, outcome=outcome.kind, detail=outcome.reason)
        )
        opened = breakers.note(connection, claim.connection, outcome, now)
        settled, values = _settled(result, now, spend=opened is None or claim.kind not in IN_THE_CRM)
        mine = (DELIVERY.c.delivery_id == claim.delivery_id) & (DELIVERY.c.lease_by == claim.lease)
        if settled != "delivered":  # what was cancelled meanwhile stays so; what arrived, arrived
            mine &= DELIVERY.c.state == "due"
        found = connection.execute(
            update(DELIVERY).where(mine).values(lease_by=None, lease_until=None, **values)
        ).rowcount
        counts[settled if found else "lost"] += 1
        if claim.kind == "webhook" and outcome.kind == "gone":
            counts["parked"] += _give_up(connection, claim.connection, str(outcome.reason), now)
    return counts


def attempts(connection: Connection, delivery_id: str) -> list[Attempt]:
    """Every attempt at a delivery, oldest first."""
    columns = [ATTEMPT.c[name] for name in Attempt.__slots__]
    rows = connection.execute(
        select(*columns).where(ATTEMPT.c.delivery_id == delivery_id).order_by(ATTEMPT.c.attempt_id)
    )
    return [Attempt(**row._mapping) for row in rows]


def _left_alone(now: datetime) -> Any:
    return select(BREAKER.c.connection).where(BREAKER.c.open_until > now)


def _uncertain(connection: Connection, ids: Collection[str]) -> set[str]:
    """Of which a call was made whose outcome nobody knows, since a person last looked at them."""
    last = func.max(case((ATTEMPT.c.outcome == AGAIN, ATTEMPT.c.attempt_id), else_=0))
    unknown = func.max(case((ATTEMPT.c.outcome == "unknown", ATTEMPT.c.attempt_id), else_=0))
    mine = select(ATTEMPT.c.delivery_id).where(ATTEMPT.c.delivery_id.in_(ids))
    return set(connection.scalars(mine.group_by(ATTEMPT.c.delivery_id).having(unknown > last)))


def _give_up(connection: Connection, name: str, reason: str, now: datetime) -> int:
    """Of a receiver that is gone for good: nobody calls it, and what is due to it waits for a person."""
    breakers.shut(connection, name, reason, now)
    theirs = (DELIVERY.c.connection == name) & (DELIVERY.c.kind == "webhook") & (DELIVERY.c.state == "due")
    return connection.execute(
        update(DELIVERY)
        .where(theirs, DELIVERY.c.lease_by.is_(None))
        .values(state="parked", failure="gone", reason=reason, settled_at=now)
    ).rowcount


def _settled(result: DeliveryResult, now: datetime, *, spend: bool) -> tuple[str, dict[str, Any]]:
    claim, outcome = result.claim, result.outcome
    spent = spend and CONSEQUENCES[outcome.kind].spends_try
    tries = claim.tries + spent
    then = next_state(outcome, failures=tries, repeatable=claim.kind not in UNREPEATABLE)
    values: dict[str, Any] = {"tries": tries, "reason": outcome.reason}
    if then == "done":
        return "delivered", values | {
            "state": "delivered",
            "settled_at": now,
            "failure": None,
            "remote_id": outcome.remote_id,
        }
    values["failure"] = outcome.kind
    if then == "due":
        # a try that was not spent waits like a first one: the breaker waits longer
        values["next_at"] = leases.next_at(outcome, tries=max(1, tries), key=claim.delivery_id, now=now)
        return "unready" if outcome.kind == "unready" else "deferred", values
    if CONSEQUENCES[outcome.kind].then == "due" and claim.kind not in UNREPEATABLE:
        values["reason"] = f"gave up after {tries} attempts: {outcome.reason}"
    return "parked", values | {"state": "parked", "settled_at": now}
