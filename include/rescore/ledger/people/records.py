"""Takes over from landings which records of several sources are one person."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from rescore.ledger import tables
from rescore.ledger.upsert import insert
from rescore.model import split_lead_key
from rescore.same_person import AMBIGUOUS, DELETED, Place

RECORD = tables.record
AT_ONCE = 10_000
"""No query asks for more records than that."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What a landing changed.

    Attributes:
        joined: Each record that counts as another lead, new or not, and the lead.
        parted: Each record that is alone again, and the lead it counted as.
        changed: Leads whose facts are others than before.
        moved: Each record that counts as another lead than before, with both leads and itself.
    """

    joined: Mapping[str, str]
    parted: Mapping[str, str]
    changed: frozenset[str]
    moved: Mapping[str, frozenset[str]]


def take_places(connection: Connection, places: Mapping[str, Place], *, entries: int) -> Moves:
    """Take over where records belong; what a later landing has said of one of them stays.

    Args:
        connection: In the transaction that commits the landing.
        places: Of the landing.
        entries: How many entries the lake's log of aliases had then.
    """
    known = _known(connection, places)
    newer = {
        record: place
        for record, place in sorted(places.items())
        if record not in known or known[record][1] <= entries
    }
    if newer:
        rows = insert(connection, RECORD).values(
            {column.name: bindparam(f"of_{column.name}") for column in RECORD.c}
        )
        connection.execute(
            rows.on_conflict_do_update(
                index_elements=["record"],
                set_={name: rows.excluded[name] for name in ("lead", "state", "entries")},
                where=RECORD.c.entries <= rows.excluded.entries,
            ),
            [
                {
                    "of_record": record,
                    "of_source": split_lead_key(record)[0],
                    "of_lead": place.lead,
                    "of_state": place.state,
                    "of_entries": entries,
                }
                for record, place in newer.items()
            ],
        )
    before = {record: known[record][0] if record in known else record for record in newer}
    moved = [record for record, place in newer.items() if before[record] != place.lead]
    return Moves(
        joined={record: place.lead for record, place in newer.items() if place.lead != record},
        parted={record: before[record] for record in moved if newer[record].lead == record},
        changed=frozenset({before[record] for record in moved} | {newer[record].lead for record in moved}),
        moved={record: frozenset({record, before[record], newer[record].lead}) for record in moved},
    )


def end_merged(connection: Connection, merged: Collection[str], *, entries: int) -> frozenset[str]:
    """Let records that were merged away be nobody's any more: what is left may be of another person.

    Args:
        connection: In the transaction that commits the landing which says so.
        merged: Records that another one of their source is left of; known ones or not.
        entries: How many entries the lake's log of aliases had then.

    Returns:
        The leads that they counted as.
    """
    known = _known(connection, merged)
    ended = {record: lead for record, (lead, since) in known.items() if lead != record and since <= entries}
    for some in _batches(ended):
        gone = update(RECORD).where(RECORD.c.record.in_(some), RECORD.c.entries <= entries)
        connection.execute(gone.values(lead=RECORD.c.record, state=DELETED, entries=entries))
    return frozenset(ended.values())


def take_any_place(connection: Connection) -> None:
    """The log of aliases begins anew, or further back: whatever the next landing says of a record counts."""
    connection.execute(update(RECORD).values(entries=0))


def ambiguous(connection: Connection) -> int:
    """How many records may be one person with several others, and count as nobody else until it is clear."""
    return connection.scalar(select(func.count()).where(RECORD.c.state == AMBIGUOUS)) or 0


def ambiguous_records(connection: Connection, *, limit: int) -> list[str]:
    """The first of those, by their keys."""
    rows = select(RECORD.c.record).where(RECORD.c.state == AMBIGUOUS).order_by(RECORD.c.record).limit(limit)
    return list(connection.scalars(rows))


def _known(connection: Connection, records: Collection[str]) -> dict[str, tuple[str, int]]:
    """What each of the known ones counts as, and since when."""
    return {
        row.record: (row.lead, row.entries)
        for some in _batches(records)
        for row in connection.execute(
            select(RECORD.c.record, RECORD.c.lead, RECORD.c.entries).where(RECORD.c.record.in_(some))
        )
    }


def _batches(records: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(records)
    return (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))
