"""In which CRMs a person has a record.

A lead that was never joined with another has one record, the one it is called after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from rescore.ledger import tables
from rescore.model import lead_key, split_lead_key

RECORD = tables.record
AT_ONCE = 10_000
"""No query asks for more leads than that."""


def in_target(connection: Connection, target: str, leads: Collection[str]) -> dict[str, str]:
    """The target's own id of each of these leads that has a record there which is not deleted."""
    found = {}
    joined: dict[str, list[str]] = {}
    for some in _batches(leads):
        rows = connection.execute(
            select(RECORD.c.lead, RECORD.c.record, RECORD.c.source, RECORD.c.state)
            .where(RECORD.c.lead.in_(some))
            .order_by(RECORD.c.record)
        )
        for row in rows:
            joined.setdefault(row.lead, [])
            if row.source == target and row.state != "deleted":
                joined[row.lead].append(row.record)
    for lead in leads:
        for record in joined.get(lead, [lead])[:1]:
            source, record_id = split_lead_key(record)
            if source == target:
                found[lead] = record_id
    return found


def has_record(target: str, lead: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a lead has a record in a target, as a condition on the column that names it."""
    prefix = lead_key(target, "")
    of_person = exists().where(RECORD.c.lead == lead).correlate_except(RECORD)
    there = (
        exists()
        .where(RECORD.c.lead == lead, RECORD.c.source == target, RECORD.c.state != "deleted")
        .correlate_except(RECORD)
    )
    return or_(there, and_(func.substr(lead, 1, len(prefix)) == prefix, ~of_person))


def _batches(leads: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(leads)
    return (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))
