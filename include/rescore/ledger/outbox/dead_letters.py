"""What a person does about deliveries: looks at them, lets them be sent again, or gives them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from rescore.ledger import tables
from rescore.ledger.outbox.deliveries import AGAIN, UNREPEATABLE

DELIVERY = tables.delivery

OVER = ("parked", "expired", "discarded")
"""Ended without having arrived, as far as we know. What was cancelled is no longer wanted."""

SEEN_TWICE = UNREPEATABLE | {"slack"}
"""Kinds whose receivers cannot tell a repetition: what arrived there, or may have, is not replayed."""

RETRYABLE = ("due", *OVER)
DISCARDABLE = ("due", "parked", "expired")

BEING_SENT = "being sent"
"""The count of those that a run is sending at this moment, and the standing of each."""

NO_BODY = "body gone"
"""The count of those that ended so long ago that what they said is no longer kept."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which deliveries; what is None chooses all. `since` and `until` bound when their lead crossed."""

    ids: Collection[str] | None = None
    states: Collection[str] | None = None
    scorecard: str | None = None
    automation: str | None = None
    connection: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def rows(self) -> list[ColumnElement[bool]]:
        """As conditions on `delivery`."""
        column, conditions = DELIVERY.c, list[ColumnElement[bool]]()
        for given, named in ((self.ids, column.delivery_id), (self.states, column.state)):
            if given is not None:
                conditions.append(named.in_(given))
        for name in ("scorecard", "automation", "connection"):
            if (value := getattr(self, name)) is not None:
                conditions.append(column[name] == value)
        if self.since is not None:
            conditions.append(column.created_at >= self.since)
        if self.until is not None:
            conditions.append(column.created_at < self.until)
        return conditions


def listed(connection: Connection, chosen: Chosen, *, limit: int) -> Sequence[Row[Any]]:
    """The newest of them, without their bodies."""
    shown = [column for column in DELIVERY.c if column.name != "body"]
    query = select(*shown).where(*chosen.rows())
    return connection.execute(
        query.order_by(DELIVERY.c.created_at.desc(), DELIVERY.c.delivery_id).limit(limit)
    ).all()


def standing(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """The state of each delivery that exists, or `BEING_SENT`, or `NO_BODY` of one that has ended."""
    size = func.length(DELIVERY.c.body).label("size")
    columns = (DELIVERY.c.delivery_id, DELIVERY.c.state, DELIVERY.c.lease_by, size)
    found = {}
    for row in connection.execute(select(*columns).where(*Chosen(ids=ids).rows())):
        bodiless = row.state in OVER and not row.size
        found[row.delivery_id] = BEING_SENT if row.lease_by else NO_BODY if bodiless else row.state
    return found


def retry(
    connection: Connection, chosen: Chosen, *, at: datetime, by: str, dry_run: bool = False
) -> Counter[str]:
    """Let deliveries that ended without having arrived be sent again, with their own id and body.

    They have all their tries again, and no longer expire. What is due is tried at the next run, whatever it
    was waiting for. What may have arrived already is sent again, too: a person has looked.

    Returns:
        Counts: `again`, those left alone by their state, `being sent`, and `body gone`.
    """
    rows, busy = _locked(connection, chosen)
    chosen_again = [row for row in rows if row.state in RETRYABLE]
    again = [row for row in chosen_again if row.size]
    counts = Counter(row.state for row in rows if row not in chosen_again)
    counts |= {"again": len(again), NO_BODY: len(chosen_again) - len(again), BEING_SENT: busy}
    if not dry_run:
        _send_again(connection, [row.delivery_id for row in again], at=at, detail=f"sent again by {by}")
    return +counts


def discard(
    connection: Connection, chosen: Chosen, *, at: datetime, by: str, reason: str, dry_run: bool = False
) -> Counter[str]:
    """Give deliveries up: they are not sent any more.

    Returns:
        Counts: `discarded`, those left alone by their state, and `being sent`.
    """
    rows, busy = _locked(connection, chosen)
    gone = [row.delivery_id for row in rows if row.state in DISCARDABLE]
    counts = Counter(f"already {row.state}" for row in rows if row.state not in DISCARDABLE)
    counts |= {"discarded": len(gone), BEING_SENT: busy}
    if not dry_run:
        said = {"state": "discarded", "reason": f"discarded by {by}: {reason}", "settled_at": at}
        for some in _parts(gone):
            connection.execute(update(DELIVERY).where(DELIVERY.c.delivery_id.in_(some)).values(said))
    return +counts


def replay(
    connection: Connection, chosen: Chosen, *, at: datetime, by: str, dry_run: bool = False
) -> Counter[str]:
    """Send the deliveries of a span of time again, whatever became of them, with their own id and body.

    Receivers that tell by the id do nothing twice. Kinds that cannot tell (`SEEN_TWICE`) are left alone where
    they arrived or may have; so is what was cancelled, and what a person discarded.

    Returns:
        Counts: `again`, `seen twice` for those left alone because nobody could tell, those left alone by
        their state, `being sent`, and `body gone`.
    """
    rows, busy = _locked(connection, chosen)
    unknown = _may_have_arrived(connection, [row.delivery_id for row in rows if row.kind in SEEN_TWICE])
    counts, again = Counter[str](), []
    for row in rows:
        arrived = row.state == "delivered" or row.delivery_id in unknown
        if row.kind in SEEN_TWICE and arrived:
            counts["seen twice"] += 1
        elif row.state in ("cancelled", "discarded", "due"):
            counts[row.state] += 1
        elif not row.size:
            counts[NO_BODY] += 1
        else:
            again.append(row.delivery_id)
    counts |= {"again": len(again), BEING_SENT: busy}
    if not dry_run:
        _send_again(connection, again, at=at, detail=f"replayed by {by}")
    return +counts


def _locked(connection: Connection, chosen: Chosen) -> tuple[Sequence[Row[Any]], int]:
    """The chosen ones that nobody is sending now, and how many somebody is."""
    size = func.length(DELIVERY.c.body).label("size")
    columns = (DELIVERY.c.delivery_id, DELIVERY.c.state, DELIVERY.c.kind, size)
    query: Select[Any] = select(*columns).where(*chosen.rows(), DELIVERY.c.lease_by.is_(None))
    free = connection.execute(query.order_by(DELIVERY.c.delivery_id).with_for_update(skip_locked=True)).all()
    everybody = connection.scalar(select(func.count()).select_from(DELIVERY).where(*chosen.rows())) or 0
    return free, everybody - len(free)


def _send_again(connection: Connection, ids: Sequence[str], *, at: datetime, detail: str) -> None:
    """Due as if for the first time; who says so is on record among the attempts."""
    fresh = {"state": "due", "tries": 0, "next_at": None, "expires_at": None, "settled_at": None}
    for some in _parts(ids):
        connection.execute(
            update(DELIVERY).where(DELIVERY.c.delivery_id.in_(some)).values(fresh | {"reason": detail})
        )
        connection.execute(
            insert(tables.attempt),
            [
                {"delivery_id": name, "started_at": at, "ended_at": at, "outcome": AGAIN, "detail": detail}
                for name in some
            ],
        )


def _may_have_arrived(connection: Connection, ids: Sequence[str]) -> set[str]:
    attempt, found = tables.attempt, set[str]()
    for some in _parts(ids):
        mine = attempt.c.delivery_id.in_(some) & attempt.c.outcome.in_(("ok", "unknown"))
        found.update(connection.scalars(select(attempt.c.delivery_id).where(mine)))
    return found


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    """As many at once as every database takes."""
    return [ids[start : start + 5_000] for start in range(0, len(ids), 5_000)]
