"""Which lead a record counts as: merges within a source, and persons across sources, in one log.

A merged-away record is gone, and the record that is left has all that it did. The records of a person live
on, each in its source: what all of them did counts as one lead's, and so do their attributes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.reading import connect, keep, listed, rows_in, still_there, texts
from rescore.lake.tables import ALIASES, SCHEMAS, files
from rescore.same_person import LIVE, Place, State

MERGE, PERSON = "merge", "person"
"""Kinds of entries."""


class Aliases:
    """Merges and persons in the order they became known, followed to the lead that is left."""

    def __init__(self, merges: Iterable[tuple[str, str]] = ()) -> None:
        self._became: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._entries: set[int] = set()
        for lead, into in merges:
            self.merge(lead, into)

    def merge(self, lead: str, into: str) -> bool:
        """Record that `lead` was merged into `into`; False when that was known already.

        A merge that closes a circle revives `into`: what the source said last is how it is now.
        """
        if lead == into or self._became.get(lead) == into:
            return False
        if lead in self._followed(into):
            del self._became[into]
        self._became[lead] = into
        return True

    def put(self, record: str, place: Place) -> bool:
        """Record where a record of a person belongs; False when that was known already."""
        if self._places.get(record) == place:
            return False
        self._places[record] = place
        return True

    def follow(self, merges: Iterable[Merge]) -> None:
        """Go on with entries about further leads, oldest first; those followed before count once."""
        for each in merges:
            if each.ordinal in self._entries:
                continue
            self._entries.add(each.ordinal)
            if not each.lead:
                continue  # erased: only its number is left
            if each.kind == PERSON:
                self.put(each.lead, Place(each.canonical, each.rank, each.state))
            else:
                self.merge(each.lead, each.canonical)

    def canonical(self, lead: str) -> str:
        """The lead that is left; itself unless it was merged away, or is not the first of its person."""
        record = self.record(lead)
        place = self._places.get(record)
        return record if place is None else self.record(place.lead)

    def record(self, lead: str) -> str:
        """The record that is left in the lead's own source; itself unless it was merged away."""
        while (into := self._became.get(lead)) is not None:
            lead = into
        return lead

    def all(self) -> dict[str, str]:
        """Every lead that counts as another one, and the one."""
        joined = {record for record, place in self._places.items() if place.lead != record}
        leads = self._became.keys() | joined
        return {lead: left for lead in leads if (left := self.canonical(lead)) != lead}

    def joined(self) -> dict[str, Place]:
        """The records of those persons who have several, with their places; no two have the same rank."""
        persons: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for record, place in self._places.items():
            if record not in self._became:
                persons[self.record(place.lead)].append((place.rank, record))
        return {
            record: Place(left, rank, self._places[record].state)
            for left, members in persons.items()
            if len(members) > 1
            for rank, (_, record) in enumerate(sorted(members))
        }

    def lost(self) -> dict[str, set[str]]:
        """Record -> those that were merged into it, at any remove."""
        into: dict[str, set[str]] = defaultdict(set)
        for lead in self._became:
            into[self.record(lead)].add(lead)
        return dict(into)

    def places(self) -> Mapping[str, Place]:
        """Where each record belongs of which that was put on record."""
        return self._places

    def __bool__(self) -> bool:
        return bool(self._became or self._places)

    def _followed(self, lead: str) -> Iterator[str]:
        yield lead
        while (into := self._became.get(lead)) is not None:
            yield (lead := into)


class Merge(NamedTuple):
    """One entry as it landed: the number of those before it, and when it became known (naive UTC).

    `kind` says whether `lead` is merged away into `canonical`, or is a record of the person of that lead.
    """

    ordinal: int
    lead: str
    canonical: str
    known_at: datetime
    kind: str = MERGE
    rank: int = 0
    state: State = LIVE


class AliasLog:
    """One state of the log; most who ask need only what it says of a few leads.

    Entries apply in their order, and only those that are linked by a lead have to do with each other.
    """

    def __init__(self, table: DeltaTable | None) -> None:
        self._table = table
        self.entries: int = 0 if table is None else table.count()

    def all(self) -> list[Merge]:
        """Every entry, oldest first."""
        return self._read("")

    def about(self, leads: Collection[str]) -> list[Merge]:
        """The entries that have to do with some leads, directly or by others, oldest first.

        Raises:
            RetryableError: An erasure rewrote files while they were read.
        """
        return self._read(_LINKED, leads) if leads else []

    def _read(self, condition: str, leads: Collection[str] = ()) -> list[Merge]:
        if self._table is None or not self.entries:
            return []
        with still_there(), connect() as connection:
            rows = rows_in(SCHEMAS[ALIASES], files(self._table))
            connection.execute(f"CREATE TEMP VIEW log AS {rows}")
            keep(connection, "asked", pa.table({"lead": texts(leads)}))
            columns = listed(Merge._fields)
            found = connection.execute(f"SELECT {columns} FROM log {condition} ORDER BY ordinal")
            return [Merge(*row) for row in found.fetchall()]


_LINKED = """SEMI JOIN (
    WITH RECURSIVE links AS MATERIALIZED (
        SELECT lead, canonical AS other FROM log WHERE lead <> ''
        UNION ALL SELECT canonical, lead FROM log WHERE lead <> ''
    ), linked AS (
        FROM asked SEMI JOIN links USING (lead)
        UNION SELECT other FROM linked JOIN links USING (lead)
    ) FROM linked
) USING (lead)"""


def follow(merges: Iterable[Merge]) -> Aliases:
    """Which lead each became, after these entries."""
    aliases = Aliases()
    aliases.follow(merges)
    return aliases


def read_aliases(table: DeltaTable | None, leads: Collection[str] | None = None) -> Aliases:
    """Which lead each became, as of now: all there are, or what there is to know of some leads."""
    log = AliasLog(table)
    return follow(log.all() if leads is None else log.about(leads))
