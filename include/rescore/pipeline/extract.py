"""What did the CRM gain since last time? Lands it in the lake and marks every lead it touched as dirty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from rescore.connectors.base import Source, Target
from rescore.erased import Person
from rescore.errors import CrmRateLimited
from rescore.lake.records import Page
from rescore.ledger.people import barred, identity, records, tombstones
from rescore.ledger.scores import extracts, streams
from rescore.ledger.scores.streams import StreamLease
from rescore.mapping import matching_of
from rescore.owed_marks import make_owed_marks
from rescore.pipeline.known import known_leads
from rescore.pipeline.landings import TimeIsUp, never, since, worth_a_commit
from rescore.pipeline.restore import notice_restore
from rescore.pipeline.vanished import vanished_pages
from rescore.progress import Progress, silent
from rescore.same_person import Matching
from rescore.workspace import Workspace

FILES_BEFORE_FOLDING = 50
"""Reads union the inbox with the sorted buckets; more small files than this make every read slower."""

HISTORY = 3
"""Of the day's calls a history takes no more than writes of this priority may."""


def extract(
    ws: Workspace,
    source: Source,
    *,
    until: datetime,
    known_at: datetime,
    history: timedelta | None = None,
    time_is_up: TimeIsUp = never,
    progress: Progress = silent,
) -> Counter[str]:
    """Read every stream of a source from its cursor up to `until`.

    Facts are appended to the lake first; then one ledger transaction advances the cursor and marks the
    landing's leads dirty, or notes that those of a history in bulk are owed their marks. A crash between the
    two fetches the same pages again, finds the rows in the lake already, and still marks their leads, because
    no committed landing brought them.

    All streams are taken at once, so that the history counts as read only when every stream was read. Streams
    that were read to their end before go first; a new one reads its history after the others had their turn,
    and stops when time is up, or when what the day has left for such reading is spent: the next run goes on.

    Args:
        ws: The stores.
        source: Where to read.
        until: Facts later than this moment wait for the next run.
        known_at: The moment at which these facts became known, the same for the whole run.
        history: Activities older than that at `until` are left out; None reads all.
        time_is_up: Asked after every landing.
        progress: Told after every landing.

    Returns:
        Counts by name: `landings`, `leads`, `activities` and one `set aside: <reason>` per reason;
        `unclaimed` activities, known by an address only, that began to wait, `claimed` ones that a lead
        took with it, and how many are `waiting for a lead` at the end; those `older than the history`;
        `streams to go on with` when the reading stopped before its end.

    Raises:
        Fenced: A newer run reads the same stream now.
        RetryableError, TerminalError: The source could not be read; what was landed stays landed, and the
            next run goes on from there.
        LakeBehind: The lake lacks landings that the ledger has committed; nothing is read.
    """
    counts: Counter[str] = Counter()
    if notice_restore(ws, at=known_at, also=[(source.name, stream) for stream in source.streams]):
        progress(f"{source.name}: the ledger was restored from a backup; `rescore restored` says what to do")
    mappings = ws.mappings().values()
    with ws.ledger.transaction() as connection:
        by_address = any(mapping.leads.same_person.email for mapping in mappings)
        matching = matching_of(mappings, tombstones.salt(connection) if by_address else b"")
        leases = [streams.take_fence(connection, source.name, stream) for stream in source.streams]
    reading = _Reading(ws, source, leases, known_at, matching, counts, progress)
    history_read: list[StreamLease] = []
    in_turn = sorted(leases, key=lambda lease: lease.first)
    for number, lease in enumerate(in_turn):
        vanished = vanished_pages(ws, source, lease)
        pages = chain(vanished, source.pages(lease.stream, lease.cursor, until=until))
        recent = pages if history is None else since(pages, until - history, counts)
        ended = reading.land(lease, recent, time_is_up)
        if ended is None:
            counts["streams to go on with"] = len(in_turn) - number
            break
        if lease.first:
            history_read.append(ended)
        else:
            _note_end(ws, ended, until=until, at=known_at)
    else:  # together: as long as a part of a history is missing, none of it is news
        make_owed_marks(ws)  # before it has ended: what lands afterwards is no history
        for ended in history_read:
            _note_end(ws, ended, until=until, at=known_at)
    if reading.claimed:
        ws.lake.drop_claimed(source.name)
    counts["waiting for a lead"] = ws.lake.waiting()
    ws.lake.fold_in(at_least=FILES_BEFORE_FOLDING)
    return counts


@dataclass(slots=True)
class _Reading:
    """One extraction of one source: what all of its landings have in common."""

    ws: Workspace
    source: Source
    leases: Sequence[StreamLease]
    known_at: datetime
    matching: Matching
    counts: Counter[str]
    progress: Progress
    claimed: int = 0

    def land(self, lease: StreamLease, pages: Iterable[Page], time_is_up: TimeIsUp) -> StreamLease | None:
        """Land a stream, some pages at a time; the lease behind its last one, None when it stopped before."""
        behind = worth_a_commit(pages, lambda: self._enough(lease, time_is_up) is not None)
        try:
            for batch in behind:
                lease = self._land(lease, batch)
                why = self._enough(lease, time_is_up)
                if why is not None:  # a page more: it may have been the last
                    further = next(behind, None)
                    if further is None:
                        return lease
                    self._stop(self._land(lease, further), why)
                    return None
        except CrmRateLimited as limit:
            if not lease.first:
                raise
            self._stop(lease, str(limit))
            return None
        return lease

    def _enough(self, lease: StreamLease, time_is_up: TimeIsUp) -> str | None:
        """Why a stream should not be read on in this run, if it should not."""
        if time_is_up():
            return "its time for this run is up"
        if lease.first and isinstance(self.source, Target) and self.source.room(HISTORY) > 0:
            return "the rest of the day's calls is kept for news and for writing"
        return None

    def _stop(self, lease: StreamLease, why: str) -> None:
        self.progress(f"{lease.source} {lease.stream}: {why}; the next run goes on from here")

    def _land(self, lease: StreamLease, batch: Page) -> StreamLease:
        ws, at = self.ws, self.known_at
        with ws.ledger.reading() as connection:
            erased = tombstones.read(connection)
        # a history in bulk tells of the same people again and again: they are marked once, at its end
        marks_later = lease.first and batch.batch is not None
        landed = ws.lake.land(
            lease.source,
            batch,
            stream=lease.stream,
            number=lease.landing,
            committed=lease.committed,
            others={other.stream: other.committed for other in self.leases},
            known_at=at,
            erased=erased,
            matching=self.matching,
            marks_later=marks_later,
        )
        living = known_leads(ws, landed.erased)
        with ws.ledger.transaction() as connection:
            moves = records.take_places(connection, landed.places, entries=landed.entries)
            left = records.end_merged(connection, landed.merged, entries=landed.entries)
            lease = streams.commit_landing(
                connection,
                lease,
                cursor=batch.cursor,
                dirty=landed.leads | dict.fromkeys(moves.changed | left, at),
                rows=batch.rows - batch.again,
                marks_later=marks_later,
            )
            if lease.input_ver:
                for gone, why in ((landed.merged, identity.MERGE), (moves.joined, identity.SAME_PERSON)):
                    identity.follow_merges(connection, gone, input_ver=lease.input_ver, at=at, why=why)
            identity.follow_partings(connection, moves.parted)
            identity.forget_shown(connection, moves.moved)
            if landed.erased:
                barred.bar(connection, living, at)
                new = Person(landed.erased - living)
                tombstones.add(connection, new, at=at, by="extract: a known address")
        self.counts.update(landed.counts)
        self.counts["leads barred"] += len(living)
        self.claimed += landed.claimed
        self.counts["landings"] += 1
        self.progress(f"{lease.source} {lease.stream}: {_sum_up(landed.counts)}")
        return lease


def _note_end(ws: Workspace, lease: StreamLease, *, until: datetime, at: datetime) -> None:
    with ws.ledger.transaction() as connection:
        streams.note_read(connection, lease, at)
        extracts.note_extract(connection, lease.source, lease.stream, until=until)


def _sum_up(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()) if count) or "nothing new"
