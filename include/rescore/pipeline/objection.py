"""Notes that a person objects to profiling, or no longer does: a fact in the lake, in force at once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rescore.errors import InputUnreadable
from rescore.lake.records import Page
from rescore.ledger.people import identity, tombstones
from rescore.ledger.scores import streams
from rescore.model import split_lead_key
from rescore.pipeline.restore import notice_restore
from rescore.workspace import Workspace


def note_objection(ws: Workspace, lead: str, *, objects: bool, at: datetime) -> Counter[str]:
    """Keep a lead, and every record merged with it, outside every audience; or let it back in.

    What is owed to automations about it is cancelled now. Its score becomes null with the next run, and so
    does what CRMs show. The CRM's own word, where the mapping names a property for it, counts too.

    Args:
        ws: The stores.
        lead: Its key.
        objects: False withdraws what was noted here.
        at: The present (aware).

    Returns:
        Counts: `objections noted` or `objections withdrawn`, by record; deliveries `cancelled`.

    Raises:
        InputUnreadable: The lake does not know the lead.
        Fenced: Somebody else noted an objection at this moment; do it again.
        LakeBehind: Facts are missing that the ledger has committed.
    """
    notice_restore(ws, at=at)
    family = ws.lake.family([lead])
    if not any(ws.lake.first_known(each) for each in family):
        raise InputUnreadable(
            "the lake does not know this lead; a key is the CRM's name in small letters, a colon and its "
            "record id, as in hubspot:1042"
        )
    counts: Counter[str] = Counter()
    by_source: dict[str, dict[str, bool]] = {}
    for source, lead_id in map(split_lead_key, sorted(family)):
        by_source.setdefault(source, {})[lead_id] = objects
    for source, objections in by_source.items():
        with ws.ledger.transaction() as connection:
            lease = streams.take_fence(connection, source, streams.NOTED_HERE)
            erased = tombstones.read(connection)
        landed = ws.lake.land(
            source,
            Page(objections=objections),
            stream=streams.NOTED_HERE,
            number=lease.landing,
            committed=lease.committed,
            known_at=at,
            erased=erased,
        )
        with ws.ledger.transaction() as connection:
            lease = streams.commit_landing(connection, lease, cursor={}, dirty=landed.leads)
            streams.note_read(connection, lease, at)
            if objects:
                counts["cancelled"] += identity.cancel_everywhere(connection, family, at)
        counts.update(landed.counts)
    return +counts
