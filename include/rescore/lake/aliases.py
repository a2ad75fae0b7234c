"""Which lead a merged-away lead became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

import pyarrow as pa
from deltalake import DeltaTable


class Aliases:
    """Merges in the order they became known, followed to the lead that is left."""

    def __init__(self, merges: Iterable[tuple[str, str]] = ()) -> None:
        self._became: dict[str, str] = {}
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

    def canonical(self, lead: str) -> str:
        """The lead that is left; itself unless it was merged away."""
        *_, last = self._followed(lead)
        return last

    def all(self) -> dict[str, str]:
        """Every merged-away lead and the one that is left."""
        return {lead: self.canonical(lead) for lead in self._became}

    def __bool__(self) -> bool:
        return bool(self._became)

    def _followed(self, lead: str) -> Iterator[str]:
        yield lead
        while (into := self._became.get(lead)) is not None:
            yield (lead := into)


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge as it landed: the number of those before it, and when it became known (naive UTC)."""

    ordinal: int
    lead: str
    canonical: str
    known_at: datetime


def read_merges(table: DeltaTable | None) -> list[Merge]:
    """The table's merges, oldest first."""
    if table is None:
        return []
    columns = [field.name for field in fields(Merge)]
    rows = pa.table(table.scan(columns=columns)).select(columns).to_pylist()
    return sorted((Merge(**row) for row in rows), key=attrgetter("ordinal"))


def follow(merges: Iterable[Merge]) -> Aliases:
    """Which lead each became, after these merges."""
    return Aliases((merge.lead, merge.canonical) for merge in merges)


def read_aliases(table: DeltaTable | None) -> Aliases:
    """Which lead each became, as of now."""
    return follow(read_merges(table))
