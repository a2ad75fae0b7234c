"""Notes what a person says of a lead, or takes it back: a fact in the lake that no source's word undoes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from rescore.errors import InputUnreadable
from rescore.lake.records import Page
from rescore.ledger.people import tombstones
from rescore.ledger.scores import streams
from rescore.model import split_lead_key
from rescore.pipeline.restore import notice_restore
from rescore.workspace import Workspace

Besides = Callable[[Connection, set[str], int], Counter[str]]
"""From the records and the input version of the landing, in the transaction that commits it: its counts."""


def note(
    ws: Workspace,
    lead: str,
    attribute: str,
    *,
    holds: bool,
    at: datetime,
    besides: Besides = lambda connection, family, input_ver: Counter(),
) -> Counter[str]:
    """Note it of a lead and of every record merged with it, and mark them; again is harmless.

    Args:
        ws: The stores.
        lead: Its key.
        attribute: One of `rescore.withheld.NOTED_HERE`.
        holds: False takes it back.
        at: The present (aware).
        besides: What else becomes of these records in the same commit; what it counts.

    Returns:
        Counts of records, as `Landing` names them, and those of `besides`.

    Raises:
        InputUnreadable: The lake does not know the lead.
        Fenced: Somebody else noted something at this moment; do it again.
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
        by_source.setdefault(source, {})[lead_id] = holds
    for source, of_leads in by_source.items():
        with ws.ledger.transaction() as connection:
            lease = streams.take_fence(connection, source, streams.NOTED_HERE)
            erased = tombstones.read(connection)
        landed = ws.lake.land(
            source,
            Page(noted={attribute: of_leads}),
            stream=streams.NOTED_HERE,
            number=lease.landing,
            committed=lease.committed,
            known_at=at,
            erased=erased,
        )
        with ws.ledger.transaction() as connection:
            lease = streams.commit_landing(connection, lease, cursor={}, dirty=landed.leads)
            streams.note_read(connection, lease, at)
            assert lease.input_ver is not None  # noqa: S101 - it was committed just now
            counts += besides(connection, family, lease.input_ver)
        counts.update(landed.counts)
    return +counts
