"""Which lead a record counts as: merges within a source, and persons across sources, in one log.

A merged-away record is gone, and the record that is left has all that it did. The records of a person live
on, each in its source: what all of them did counts as one lead's, and so do their attributes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
from deltalake import DeltaTable

from rescore.same_person import LIVE, Place, State

MERGE, PERSON = "merge", "person"
"""Kinds of entries."""


class Aliases:
    """Merges and persons in the order they became known, followed to the lead that is left."""

    def __init__(self, merges: Iterable[tuple[str, str]] = ()) -> None:
        self._became: dict[str, str] = {}
        self._places: dict[str, Place] = {}
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


def read_merges(table: DeltaTable | None) -> list[Merge]:
    """The table's entries, oldest first."""
    if table is None:
        return []
    columns = list(Merge._fields)
    rows = pa.table(table.scan(columns=columns)).select(columns)
    return sorted(map(Merge, *(column.to_pylist() for column in rows.columns)))  # ordinals come first


def follow(merges: Iterable[Merge]) -> Aliases:
    """Which lead each became, after these entries."""
    aliases = Aliases()
    for each in merges:
        if not each.lead:
            continue  # erased: only its number is left
        if each.kind == PERSON:
            aliases.put(each.lead, Place(each.canonical, each.rank, each.state))
        else:
            aliases.merge(each.lead, each.canonical)
    return aliases


def read_aliases(table: DeltaTable | None) -> Aliases:
    """Which lead each became, as of now."""
    return follow(read_merges(table))
