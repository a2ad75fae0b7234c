"""Records that a CRM does not have any more, though none of its lists says so, are deleted here too.

A privacy deletion leaves no trace. It shows when a write or the read-back does not find the record; nothing
is written to it from then on. Here the lead follows: no score, and nothing more is sent about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rescore.connectors.base import Source
from rescore.connectors.readback import ReadBack
from rescore.lake.records import LeadRecord, Page
from rescore.ledger.outbox import confirmed
from rescore.ledger.outbox.records import in_target
from rescore.ledger.scores.streams import StreamLease
from rescore.workspace import Workspace

A_CALL = 100
MOST = 5 * A_CALL
"""Leads a run; the next one goes on."""


def vanished_pages(ws: Workspace, source: Source, lease: StreamLease) -> Iterator[Page]:
    """Leads as deleted that the source, asked once more by their ids, does not have; the cursor stays.

    They come before what its first stream tells, whose word counts: a lead that was merged or restored
    meanwhile is there. Of a stream that was never read, and of any but the first, nothing.
    """
    mapping = ws.mappings().get(source.name)
    scores = list(mapping.scores.values()) if mapping else []
    if lease.stream != source.streams[0] or lease.cursor is None or not scores:
        return
    if not isinstance(source, ReadBack):
        return
    with ws.ledger.reading() as connection:
        missed = confirmed.missed(connection, source.name, most=MOST)
        records = sorted(in_target(connection, source.name, missed).values())
    for start in range(0, len(records), A_CALL):
        ids = records[start : start + A_CALL]
        found = source.read(ids, [scores[0].score])
        gone = [lead_id for lead_id in ids if lead_id in found and found[lead_id] is None]
        yield Page(leads=[LeadRecord(lead_id, {}, deleted=True) for lead_id in gone], cursor=lease.cursor)
