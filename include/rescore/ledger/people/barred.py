"""Records that live here and of which a source says that they are one with somebody who was erased.

To erase them unasked could not be undone, and to let them go on would bring the erased person back under
another key. So nothing more of them lands, what had landed stays, and a person decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, func, select, update

from rescore.ledger import tables
from rescore.ledger.scores import streams
from rescore.ledger.upsert import insert
from rescore.model import split_lead_key

BARRED = tables.barred


def bar(connection: Connection, leads: Collection[str], at: datetime) -> None:
    """Let nothing more of these records land until a person decides."""
    for lead in sorted(leads):
        row = insert(connection, BARRED).values(lead=lead, since=at)
        connection.execute(row.on_conflict_do_nothing())


def let_in(connection: Connection, leads: Collection[str], *, at: datetime, by: str) -> int:
    """Let barred records be somebody else than who was erased; how many.

    What was dropped meanwhile is read again: the streams of their sources begin anew, and what has landed is
    recognised.
    """
    mine = BARRED.c.lead.in_(leads) & BARRED.c.let_in_at.is_(None)
    found = connection.scalars(
        update(BARRED).where(mine).values(let_in_at=at, let_in_by=by).returning(BARRED.c.lead)
    ).all()
    for source in sorted({split_lead_key(lead)[0] for lead in found}):
        streams.from_the_start(connection, source)
    return len(found)


def leads() -> Select[tuple[str]]:
    """What the barred records count as."""
    record = tables.record
    lead = func.coalesce(record.c.lead, BARRED.c.lead)
    return (
        select(lead)
        .select_from(BARRED.outerjoin(record, record.c.record == BARRED.c.lead))
        .where(BARRED.c.let_in_at.is_(None))
    )


def count(connection: Connection) -> int:
    """How many are barred now."""
    return connection.scalar(select(func.count()).where(BARRED.c.let_in_at.is_(None))) or 0


def listed(connection: Connection, *, limit: int) -> Sequence[str]:
    """The first of those, by their keys."""
    rows = select(BARRED.c.lead).where(BARRED.c.let_in_at.is_(None)).order_by(BARRED.c.lead).limit(limit)
    return connection.scalars(rows).all()
