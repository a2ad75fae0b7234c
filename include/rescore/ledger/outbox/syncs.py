"""Scores owed to CRMs, level-triggered: what each target should show of each lead and has not confirmed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, case, select, update

from rescore.ledger import tables
from rescore.ledger.outbox import leases, overrides, records
from rescore.ledger.outbox.wishes import DRIFT
from rescore.ledger.types import UtcDateTime
from rescore.outcome import CONSEQUENCES, Next, Outcome, next_state


@dataclass(frozen=True, slots=True)
class SyncClaim:
    """One lead's committed score that a target should show; `ver` is the version these values are.

    `reasons` are the top reasons as {rule, label, points in thousandths}; `rules_version` is the sequence
    number of the rules that gave this score. `overridden` are the properties in which a person's value stays.
    `record` is the target's own id of the lead; None when it has no record there.
    `shown_hash` is that of the figures the target confirmed last; None when nobody knows what it shows.
    """

    target: str
    scorecard: str
    lead: str
    ver: int
    tries: int
    shown_hash: str | None
    lease: str
    score: int | None
    band: str | None
    grade: str | None
    dimensions: dict[str, int | None] = field(repr=False)
    reasons: list[dict[str, Any]] = field(repr=False)
    changed_at: datetime
    rules_version: int
    record: str | None = None
    overridden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of a claim; a parked one stays so until its score changes again."""

    claim: SyncClaim
    outcome: Outcome
    figures: str | None = None  # the hash of those that were sent


def claim(
    connection: Connection,
    *,
    target: str,
    worker: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    priority: int = DRIFT,
) -> list[SyncClaim]:
    """Take up to `limit` due leads of this priority or a higher one, the highest first.

    Within a priority they come in lead order, so that a lead's scorecards come together. What a lease that
    ended without a word may have written is not known to be shown.
    """
    sync, score, activation = tables.sync, tables.score, tables.activation
    token = leases.token(worker)
    rows = connection.execute(
        select(
            score.c.scorecard,
            score.c.lead,
            score.c.ver,
            sync.c.tries,
            case((sync.c.lease_by.is_(None), sync.c.shown_hash)).label("shown_hash"),
            score.c.score,
            score.c.band,
            score.c.grade,
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
        .where(sync.c.target == target, sync.c.priority <= priority, leases.free(sync, now))
        .order_by(sync.c.priority, sync.c.lead)
        .limit(limit)
        .with_for_update(of=sync, skip_locked=True)
    ).all()
    leads = {row.lead for row in rows}
    kept, record = overrides.open_of(connection, target, leads), records.in_target(connection, target, leads)
    claims = [
        SyncClaim(
            **(
                dict(row._mapping)
                | {
                    "target": target,
                    "lease": token,
                    "record": record.get(row.lead),
                    "dimensions": json.loads(row.dimensions),
                    "reasons": json.loads(row.reasons),
                    "overridden": frozenset(
                        name for name, one in kept.get(row.lead, {}).items() if one.scorecard == row.scorecard
                    ),
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
            .values(lease_by=token, lease_until=now + lease, **_as_known(sync.c.lease_by.is_(None))),
            [{"for_scorecard": claim.scorecard, "for_lead": claim.lead} for claim in claims],
        )
    return claims


def settle(
    connection: Connection, results: Iterable[SyncResult], *, now: datetime, spend: bool = True
) -> Counter[str]:
    """Note what became of claims, each by its own key and with the version that was sent.

    A lead whose score moved on while it was being sent stays due. Without `spend` a failure counts no try:
    it was the Connection's, and its breaker keeps everybody away.

    Returns:
        Counts: `acknowledged`, `deferred`, `parked`, `deleted`; `lost` for those whose lease had passed to
        another.
    """
    groups: dict[Next, list[dict[str, Any]]] = {"done": [], "due": [], "parked": [], "deleted": []}
    for result in sorted(results, key=lambda result: (result.claim.scorecard, result.claim.lead)):
        claim, outcome = result.claim, result.outcome
        spent = spend and CONSEQUENCES[outcome.kind].spends_try
        tries = claim.tries + spent
        key = f"{claim.target}|{claim.scorecard}|{claim.lead}"
        groups[next_state(outcome, failures=tries)].append(
            {
                "for_target": claim.target,
                "for_scorecard": claim.scorecard,
                "for_lead": claim.lead,
                "lease": claim.lease,
                "sent": claim.ver,
                "sent_score": claim.score,
                "sent_band": claim.band,
                "sent_hash": result.figures,
                "rest": overrides.OVERRIDDEN if claim.overridden else overrides.SETTLED,
                "at": now,
                "spent": tries,
                "then": leases.next_at(outcome, tries=tries, key=key, now=now) if spend else None,
                "kind": outcome.kind,
                "why": outcome.reason,
            }
        )
    counts: Counter[str] = Counter()
    for then, rows in groups.items():
        if rows:
            found = connection.execute(_SETTLED[then], rows).rowcount
            counts[COUNTED[then]] += found
            counts["lost"] += len(rows) - found
    return +counts


def _as_known(known: ColumnElement[bool]) -> dict[str, Any]:
    """What the target shows, or null where a call may have changed it without our hearing of it."""
    sync = tables.sync
    columns = (sync.c.shown_score, sync.c.shown_band, sync.c.shown_hash)
    return {column.name: case((known, column)) for column in columns}


COUNTED: dict[Next, str] = {
    "done": "acknowledged",
    "due": "deferred",
    "parked": "parked",
    "deleted": "deleted",
}


def _statements() -> dict[Next, Update]:
    """How each end of a claim is written; a version that was not the newest leaves the lead due."""
    sync = tables.sync
    sent: Any = bindparam("sent")
    current = sync.c.want_ver <= sent
    mine = update(sync).where(
        sync.c.target == bindparam("for_target"),
        sync.c.scorecard == bindparam("for_scorecard"),
        sync.c.lead == bindparam("for_lead"),
        sync.c.lease_by == bindparam("lease"),
    )
    free = {"lease_by": None, "lease_until": None}
    failed: dict[str, Any] = {"failure": bindparam("kind"), "reason": bindparam("why"), **free}
    failed |= _as_known(bindparam("kind") != "unknown")
    tries = case((current, bindparam("spent")), else_=sync.c.tries)

    def ended(state: str) -> Update:
        return mine.values(state=case((current, state), else_="due"), tries=tries, **failed)

    return {
        "done": mine.values(
            acked_ver=case((sync.c.acked_ver > sent, sync.c.acked_ver), else_=sent),
            state=case((current, bindparam("rest")), else_="due"),
            shown_score=bindparam("sent_score"),
            shown_band=bindparam("sent_band"),
            shown_hash=bindparam("sent_hash"),
            acked_at=bindparam("at", type_=UtcDateTime),
            tries=0,
            next_at=None,
            failure=None,
            reason=None,
            **free,
        ),
        "due": mine.values(next_at=bindparam("then"), tries=tries, **failed),
        "parked": ended("parked"),
        "deleted": ended("deleted"),
    }


_SETTLED = _statements()


def release(connection: Connection, claims: Iterable[SyncClaim]) -> None:
    """Give claims back unsent: no try is spent and they are due at once."""
    for lease in sorted({claim.lease for claim in claims}):
        connection.execute(
            update(tables.sync).where(tables.sync.c.lease_by == lease).values(lease_by=None, lease_until=None)
        )
