"""Which lead a merged-away lead became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

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


def read_aliases(table: DeltaTable | None) -> Aliases:
    """The table's merges, oldest first."""
    if table is None:
        return Aliases()
    rows = pa.table(table.scan(columns=["ordinal", "lead", "canonical"])).to_pylist()
    rows.sort(key=itemgetter("ordinal"))
    return Aliases((row["lead"], row["canonical"]) for row in rows)
