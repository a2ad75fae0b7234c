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

DELIVERY, SCORE = tables.delivery, tables.score

OVER = ("parked", "expired", "discarded")
"""Ended without having arrived, as far as we know. What was cancelled is no longer wanted."""

SEEN_TWICE = UNREPEATABLE | {"slack"}
"""Kinds whose receivers cannot tell a repetition: what arrived there, or may have, is not replayed."""

RETRYABLE = ("due", *OVER)
DISCARDABLE = ("due", "parked", "expired")

BEING_SENT = "being sent"
"""The count of those that a run is sending at this moment, and the standing of each."""

WITHHELD = "withheld"
"""The count, and the standing, of those about whom nothing is sent: deleted, merged away, objecting."""

NO_BODY = "body gone"
"""The count of those that ended so long ago that what they said is no longer kept."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which deliveries; what is None chooses all. `since` and `until` bound when they were set off."""

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
    """The state of each delivery that exists, or `BEING_SENT`; of some that ended `NO_BODY` or `WITHHELD`."""
    found = {}
    for row in connection.execute(_looked_at(DELIVERY.c.lease_by).where(*Chosen(ids=ids).rows())):
        ended = NO_BODY if not row.size else WITHHELD if row.withheld else row.state
        found[row.delivery_id] = BEING_SENT if row.lease_by else ended if row.state in OVER else row.state
    return found


def retry(
    connection: Connection, chosen: Chosen, *, at: datetime, by: str, dry_run: bool = False
) -> Counter[str]:
    """Let deliveries that ended without having arrived be sent again, with their own id and body.

    They have all their tries again, and no longer expire. What had ended is sent again even if it may have
    arrived: a person has looked. What is due is tried at the next run, whatever it was waiting for.

    Returns:
        Counts: `again`, those left alone by their state, `withheld`, `being sent`, and `body gone`.
    """
    rows, busy = _locked(connection, chosen)
    counts, again = Counter({BEING_SENT: busy}), dict[str, list[str]](due=[], over=[])
    for row in rows:
        if row.state not in RETRYABLE:
            counts[row.state] += 1
        elif reason := _never_again(row):
            counts[reason] += 1
        else:
            again["due" if row.state == "due" else "over"].append(row.delivery_id)
            counts["again"] += 1
    if not dry_run:
        detail = f"sent again by {by}"
        _make_due(connection, again["due"] + again["over"], detail)
        _note_word(connection, again["over"], at, detail)
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
        their state, `withheld`, `being sent`, and `body gone`.
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
        elif reason := _never_again(row):
            counts[reason] += 1
        else:
            again.append(row.delivery_id)
    counts |= {"again": len(again), BEING_SENT: busy}
    if not dry_run:
        detail = f"replayed by {by}"
        _make_due(connection, again, detail)
        _note_word(connection, again, at, detail)
    return +counts


def _locked(connection: Connection, chosen: Chosen) -> tuple[Sequence[Row[Any]], int]:
    """The chosen ones that nobody is sending now, and how many somebody is."""
    query = _looked_at(DELIVERY.c.kind).where(*chosen.rows(), DELIVERY.c.lease_by.is_(None))
    locking = query.order_by(DELIVERY.c.delivery_id).with_for_update(of=DELIVERY, skip_locked=True)
    free = connection.execute(locking).all()
    everybody = connection.scalar(select(func.count()).select_from(DELIVERY).where(*chosen.rows())) or 0
    return free, everybody - len(free)


def _looked_at(*columns: ColumnElement[Any]) -> Select[Any]:
    """Deliveries with the size of their bodies, and why their lead is withheld."""
    of_lead = (SCORE.c.scorecard == DELIVERY.c.scorecard) & (SCORE.c.lead == DELIVERY.c.lead)
    size = func.length(DELIVERY.c.body).label("size")
    looked = select(DELIVERY.c.delivery_id, DELIVERY.c.state, *columns, size, SCORE.c.withheld)
    return looked.select_from(DELIVERY.outerjoin(SCORE, of_lead))


def _never_again(row: Row[Any]) -> str | None:
    """Why nobody can have a delivery sent once more, whatever its state."""
    return WITHHELD if row.withheld else None if row.size else NO_BODY


def _make_due(connection: Connection, ids: Sequence[str], detail: str) -> None:
    """As if for the first time."""
    fresh = {"state": "due", "tries": 0, "next_at": None, "expires_at": None, "settled_at": None}
    for some in _parts(ids):
        connection.execute(
            update(DELIVERY).where(DELIVERY.c.delivery_id.in_(some)).values(fresh | {"reason": detail})
        )


def _note_word(connection: Connection, ids: Sequence[str], at: datetime, detail: str) -> None:
    """Put a person's word among the attempts: what may have arrived before does not count any more."""
    for some in _parts(ids):
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
