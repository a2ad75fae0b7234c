"""What did the CRM gain since last time? Lands it in the lake and marks every lead it touched as dirty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

import pyarrow as pa

from rescore.connectors.base import Source
from rescore.erased import Person
from rescore.lake.records import Page
from rescore.ledger.people import identity, records, tombstones
from rescore.ledger.scores import extracts, streams
from rescore.mapping import matching_of
from rescore.pipeline.restore import notice_restore
from rescore.pipeline.vanished import vanished_pages
from rescore.progress import Progress, silent
from rescore.workspace import Workspace

ROWS_A_LANDING = 20_000
"""Bounds memory, and what a crash has to fetch again; every landing costs one commit in each store."""

BATCH_ROWS_A_LANDING = 1_000_000
"""The same for activities that come as columns: about half a gigabyte while they land."""

FILES_BEFORE_FOLDING = 50
"""Reads union the inbox with the sorted buckets; more small files than this make every read slower."""


def extract(
    ws: Workspace, source: Source, *, until: datetime, known_at: datetime, progress: Progress = silent
) -> Counter[str]:
    """Read every stream of a source from its cursor up to `until`.

    Facts are appended to the lake first; then one ledger transaction advances the cursor and marks the
    landing's leads dirty. A crash between the two fetches the same pages again, finds the rows in the lake
    already, and still marks their leads, because no committed landing brought them.

    All streams are taken at once, so that the history counts as read only when every stream was read.

    Args:
        ws: The stores.
        source: Where to read.
        until: Facts later than this moment wait for the next run.
        known_at: The moment at which these facts became known, the same for the whole run.
        progress: Told after every landing.

    Returns:
        Counts by name: `landings`, `leads`, `activities` and one `set aside: <reason>` per reason;
        `unclaimed` activities, known by an address only, that began to wait, `claimed` ones that a lead
        took with it, and how many are `waiting for a lead` at the end.

    Raises:
        Fenced: A newer run reads the same stream now.
        RetryableError, TerminalError: The source could not be read; what was landed stays landed, and the
            next run goes on from there.
    """
    counts: Counter[str] = Counter()
    claimed = 0
    if notice_restore(ws, at=known_at, also=[(source.name, stream) for stream in source.streams]):
        progress(f"{source.name}: the ledger was restored from a backup; `rescore restored` says what to do")
    mappings = ws.mappings().values()
    with ws.ledger.transaction() as connection:
        by_address = any(mapping.leads.same_person.email for mapping in mappings)
        matching = matching_of(mappings, tombstones.salt(connection) if by_address else b"")
        leases = [streams.take_fence(connection, source.name, stream) for stream in source.streams]
    for lease in leases:
        stream = lease.stream
        vanished = vanished_pages(ws, source, lease)
        for batch in _landings(chain(vanished, source.pages(stream, lease.cursor, until=until))):
            with ws.ledger.reading() as connection:
                erased = tombstones.read(connection)
            landed = ws.lake.land(
                source.name,
                batch,
                stream=stream,
                number=lease.landing,
                committed=lease.committed,
                others={other.stream: other.committed for other in leases},
                known_at=known_at,
                erased=erased,
                matching=matching,
            )
            with ws.ledger.transaction() as connection:
                moves = records.take_places(connection, landed.places, entries=landed.entries)
                lease = streams.commit_landing(
                    connection,
                    lease,
                    cursor=batch.cursor,
                    dirty=landed.leads | dict.fromkeys(moves.changed, known_at),
                    rows=batch.rows - batch.again,
                )
                if lease.input_ver:
                    for gone, why in ((landed.merged, identity.MERGE), (moves.joined, identity.SAME_PERSON)):
                        identity.follow_merges(
                            connection, gone, input_ver=lease.input_ver, at=known_at, why=why
                        )
                identity.follow_partings(connection, moves.parted)
                if landed.erased:
                    again = Person(landed.erased)
                    tombstones.add(connection, again, at=known_at, by="extract: a known address")
            counts.update(landed.counts)
            claimed += landed.claimed
            counts["landings"] += 1
            progress(f"{source.name} {stream}: {_sum_up(landed.counts)}")
        with ws.ledger.transaction() as connection:
            streams.note_read(connection, lease, known_at)
            extracts.note_extract(connection, source.name, stream, until=until)
    if claimed:
        ws.lake.drop_claimed(source.name)
    counts["waiting for a lead"] = ws.lake.waiting()
    ws.lake.fold_in(at_least=FILES_BEFORE_FOLDING)
    return counts


def _landings(pages: Iterable[Page]) -> Iterator[Page]:
    """Pages glued together until they are worth a commit."""
    waiting: list[Page] = []
    rows = many = 0
    for page in pages:
        waiting.append(page)
        rows += page.rows - page.batch_rows
        many += page.batch_rows
        if rows >= ROWS_A_LANDING or many >= BATCH_ROWS_A_LANDING:
            yield _glued(waiting)
            waiting, rows, many = [], 0, 0
    if waiting:
        yield _glued(waiting)


def _glued(pages: Sequence[Page]) -> Page:
    batches = [page.batch for page in pages if page.batch is not None]
    return Page(
        leads=[lead for page in pages for lead in page.leads],
        activities=[activity for page in pages for activity in page.activities],
        set_aside=[record for page in pages for record in page.set_aside],
        cursor=pages[-1].cursor,
        unclaimed=[activity for page in pages for activity in page.unclaimed],
        accounts=[account for page in pages for account in page.accounts],
        again=sum(page.again for page in pages),
        batch=pa.concat_tables(batches, promote_options="default") if batches else None,
    )


def _sum_up(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()) if count) or "nothing new"
