"""Erasures under way and done, and everything the ledger forgets of a person.

An erasure is asked for, begun (its tombstones stand, and every older writer is shut out), swept (no row names
the person any more), and done (no byte of the ledger does). Whatever state a crash leaves it in, the next
one goes on from there.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from rescore.erased import Person
from rescore.errors import InputUnreadable
from rescore.ledger import tables
from rescore.ledger.automations import used_numbers
from rescore.ledger.people import tombstones
from rescore.ledger.scores import streams

ASKED, BEGUN, SWEPT, DONE = "asked", "begun", "swept", "done"

ERASED, KEPT_OUT = "erased", "kept out, known to nobody here"
"""How a person is counted of whom something was here, or nothing."""

OF_LEADS = [table for table in tables.metadata.sorted_tables if "lead" in table.c]
"""Every table whose rows are about one lead."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure; `person` is nobody once it is swept."""

    erasure_id: str
    person: Person = field(repr=False)
    state: str
    asked_at: datetime
    asked_by: str
    finished_at: datetime | None
    counts: Mapping[str, int]


def ask(connection: Connection, person: Person, *, at: datetime, by: str) -> str:
    """Note a wish to be carried out later; its id, which names nobody."""
    erasure_id = str(uuid.uuid4())
    connection.execute(
        insert(tables.erasure).values(
            erasure_id=erasure_id,
            leads=_as_json(person),
            state=ASKED,
            asked_at=at,
            asked_by=by,
            counts="{}",
        )
    )
    return erasure_id


def find(connection: Connection, erasure_id: str) -> Erasure:
    """One erasure.

    Raises:
        InputUnreadable: There is none of that id.
    """
    table = tables.erasure
    row = connection.execute(select(table).where(table.c.erasure_id == erasure_id)).one_or_none()
    if row is None:
        raise InputUnreadable(
            "there is no erasure of that id; `rescore erase LEAD --request` registers one and says its id"
        )
    return _erasure(row)


def unfinished(connection: Connection) -> list[Erasure]:
    """What is asked for or under way, oldest first."""
    table = tables.erasure
    rows = connection.execute(
        select(table).where(table.c.state != DONE).order_by(table.c.asked_at, table.c.erasure_id)
    )
    return [_erasure(row) for row in rows]


def start(
    connection: Connection,
    erasure: Erasure,
    person: Person,
    *,
    at: datetime,
    known: bool,
    hashes: Collection[str] = (),
) -> tuple[dict[str, int], Counter[str]]:
    """Set the tombstones, shut out every landing that does not know of them, and stop what is owed.

    Args:
        connection: In a transaction.
        erasure: Asked for, or begun by an attempt that did not get far.
        person: With every record that is theirs, or was merged into one that is.
        at: The present.
        known: Whether anything was here of the person when the erasure began.
        hashes: Of the e-mail addresses that the lake knew them by.

    Returns:
        By stream of the lake (`source/stream`) a landing number, up to which nobody may append any more; and
        how many rows of each table were deleted, `ERASED` people among them, or `KEPT_OUT`.
    """
    counts = Counter({ERASED if known else KEPT_OUT: 1})
    tombstones.add(connection, person, at=at, by=erasure.asked_by, hashes=hashes)
    connection.execute(
        update(tables.erasure)
        .where(tables.erasure.c.erasure_id == erasure.erasure_id)
        .values(state=BEGUN, leads=_as_json(person), counts=json.dumps(counts))
    )
    counts += forget(connection, person)
    stream = tables.stream
    read = connection.execute(
        select(stream.c.source, stream.c.stream).order_by(stream.c.source, stream.c.stream)
    ).all()
    leases = [streams.take_fence(connection, row.source, row.stream) for row in read]
    return {f"{lease.source}/{lease.stream}": lease.landing for lease in leases}, counts


def forget(connection: Connection, person: Person) -> Counter[str]:
    """Delete every row about these leads; how many of each table."""
    counts: Counter[str] = Counter()
    leads = sorted(person.leads)
    used_numbers.keep_used(connection, leads)
    deliveries = select(tables.delivery.c.delivery_id).where(tables.delivery.c.lead.in_(leads))
    attempt = tables.attempt
    counts["attempt"] = connection.execute(
        delete(attempt).where(attempt.c.delivery_id.in_(deliveries))
    ).rowcount
    for table in OF_LEADS:
        counts[table.name] += connection.execute(delete(table).where(table.c.lead.in_(leads))).rowcount
    run = tables.run
    # a promotion that begins again at the first lead finds what it has promoted, and leaves it
    connection.execute(update(run).where(run.c.promoted_to.in_(leads)).values(promoted_to=None))
    counts["cursor"] = _forget_cursors(connection, leads)
    return +counts


def sweep(connection: Connection, erasure_id: str, counts: Mapping[str, int]) -> None:
    """Note that no row names the person any more, and what was removed."""
    connection.execute(
        update(tables.erasure)
        .where(tables.erasure.c.erasure_id == erasure_id)
        .values(state=SWEPT, leads=None, counts=json.dumps(dict(counts)))
    )


def finish(connection: Connection, erasure_id: str, at: datetime) -> None:
    """Note that it is done."""
    connection.execute(
        update(tables.erasure)
        .where(tables.erasure.c.erasure_id == erasure_id)
        .values(state=DONE, finished_at=at)
    )


def _forget_cursors(connection: Connection, leads: Collection[str]) -> int:
    """A cursor that stands at a record of the person is dropped: that stream is read again from the start."""
    stream = tables.stream
    ids = {lead.partition(":")[2] for lead in leads}
    count = 0
    for row in connection.execute(select(stream).where(stream.c.cursor.is_not(None))).all():
        if ids.isdisjoint(_texts(json.loads(row.cursor))):
            continue
        mine = (stream.c.source == row.source) & (stream.c.stream == row.stream)
        connection.execute(update(stream).where(mine).values(cursor=None))
        count += 1
    return count


def _texts(value: Any) -> set[str]:
    """Every single value inside JSON, as text."""
    if isinstance(value, dict):
        return set().union(*map(_texts, value.values()))
    return set().union(*map(_texts, value)) if isinstance(value, list) else {str(value)}


def _as_json(person: Person) -> str:
    return json.dumps({"leads": sorted(person.leads), "addresses": sorted(person.addresses)})


def _erasure(row: Row[Any]) -> Erasure:
    said = json.loads(row.leads) if row.leads else {"leads": (), "addresses": ()}
    return Erasure(
        erasure_id=row.erasure_id,
        person=Person.of(said["leads"], said["addresses"]),
        state=row.state,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        finished_at=row.finished_at,
        counts=json.loads(row.counts),
    )
