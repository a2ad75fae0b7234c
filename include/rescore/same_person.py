"""The words for one person with records in several sources, which the lake and the ledger share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from rescore.model import lead_key, split_lead_key

State = Literal["live", "deleted", "ambiguous"]
LIVE: Final = "live"
DELETED: Final = "deleted"
AMBIGUOUS: Final = "ambiguous"


@dataclass(frozen=True, slots=True)
class Matching:
    """What deployments say of the records of their sources.

    Attributes:
        sources: All of them in their order: of a person's records that of the first shows the score, and its
            values count before those of the others.
        by_address: The sources whose records are known by their e-mail addresses, too.
        salt: Goes into the hashes of those.
        spelt: By source how it writes an id of its own that somebody else may write in another way.
    """

    sources: Sequence[str] = ()
    by_address: frozenset[str] = frozenset()
    salt: bytes = field(default=b"", repr=False)
    spelt: Mapping[str, Callable[[str], str]] = field(default_factory=dict, compare=False)

    def key(self, named: str) -> str:
        """The key of a record that another source names, as its own source writes it."""
        source, id_ = split_lead_key(named)
        return lead_key(source, self.spelt[source](id_)) if source in self.spelt else named

    def rank(self, lead: str) -> int:
        """The place of a record's source in the order; unknown ones come last."""
        source, _ = split_lead_key(lead)
        return self.sources.index(source) if source in self.sources else len(self.sources)


EACH_ALONE = Matching()


class Place(NamedTuple):
    """Where a record belongs: the lead it counts as (itself, when it is alone or the first), and how.

    A `deleted` record still belongs to its person. `rank` is where its source is in the order.
    """

    lead: str
    rank: int = 0
    state: State = LIVE
