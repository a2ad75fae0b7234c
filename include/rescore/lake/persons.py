"""Which records of several sources are one person? A pure answer from what the records say of each other.

What two records share (an id that one names of the other, an e-mail address) joins them, unless that would
make two records of one source one person: whether those two are one is for their own source to say. Then it
joins nobody, and its records are `ambiguous` until that ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rescore.model import split_lead_key
from rescore.same_person import AMBIGUOUS, DELETED, EACH_ALONE, LIVE, Matching, Place, State


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source, and who else it says it is.

    Attributes:
        ids: Keys of other sources' records, known here or not.
        addresses: Hashes of its e-mail addresses.
        since: Which landing brought it, or the first of those that were merged into it.
        deleted: Whether its source has deleted it.
    """

    ids: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    since: int = 0
    deleted: bool = False


def places(
    records: Mapping[str, Record], matching: Matching = EACH_ALONE
) -> tuple[dict[str, Place], dict[str, frozenset[str]]]:
    """Where each of these records belongs; they have to be all that may be joined with each other.

    Ids count before addresses, and records that are there before those that are deleted. A person's lead is
    the record that was known first, so that it stays when others join.

    Returns:
        The place of each; and of the ambiguous ones all records that they cannot be told from.
    """
    ids = _claimed(records)
    addresses: dict[str, set[str]] = defaultdict(set)
    for key, record in records.items():
        for address in record.addresses:
            addresses[address].add(key)
    gone = {key for key, record in records.items() if record.deleted}
    persons = _Persons({*records, *ids})
    doubtful: dict[str, set[str]] = defaultdict(set)
    for shared in ([named for key, named in ids.items() if key not in gone], addresses.values()):
        for key, rivals in persons.join(each - gone for each in shared).items():
            doubtful[key] |= rivals
    for shared in (ids.values(), addresses.values()):
        persons.join(shared)
    found = {}
    for members in persons.all():
        known = sorted(members & records.keys(), key=lambda key: (records[key].since, key))
        for key in known:
            alone = len(known) == 1 and key in doubtful
            state: State = DELETED if key in gone else AMBIGUOUS if alone else LIVE
            found[key] = Place(known[0], matching.rank(key), state)
    return found, {key: frozenset(doubtful[key]) for key, place in found.items() if place.state == AMBIGUOUS}


def _claimed(records: Mapping[str, Record]) -> dict[str, set[str]]:
    """Each record that others name, with those who do.

    Of several records of one source that somebody names those count that are known here, if any is.
    """
    claimed: dict[str, set[str]] = defaultdict(set)
    for key, record in records.items():
        known_of = {split_lead_key(named)[0] for named in record.ids if named in records}
        for named in record.ids:
            if named in records or split_lead_key(named)[0] not in known_of:
                claimed[named] |= {named, key}
    return dict(claimed)


class _Persons:
    """Records in groups that only grow."""

    def __init__(self, records: Iterable[str]) -> None:
        self._group = {key: frozenset({key}) for key in records}

    def all(self) -> set[frozenset[str]]:
        """The groups."""
        return set(self._group.values())

    def join(self, shared: Iterable[Iterable[str]]) -> dict[str, set[str]]:
        """Join the records of each set, all sets at once.

        Returns:
            Of the sets that join nobody: each record, with all that it shares one of them with.
        """
        doubtful: dict[str, set[str]] = defaultdict(set)
        neighbours: dict[frozenset[str], set[frozenset[str]]] = defaultdict(set)
        for records in shared:
            groups = {self._group[key] for key in records}
            if len(groups) < 2 or len(set(_sources(groups))) < 2:
                continue
            if _one_of_each_source(groups):
                first, *others = groups
                for other in others:
                    neighbours[first].add(other)
                    neighbours[other].add(first)
            else:
                _doubt(groups, doubtful)
        for groups in _components(neighbours):
            if _one_of_each_source(groups):
                person = frozenset().union(*groups)
                self._group.update(dict.fromkeys(person, person))
            else:
                _doubt(groups, doubtful)
        return doubtful


def _components(
    neighbours: Mapping[frozenset[str], set[frozenset[str]]],
) -> Iterable[set[frozenset[str]]]:
    left = set(neighbours)
    while left:
        reached, frontier = set(), {left.pop()}
        while frontier:
            reached |= frontier
            frontier = set().union(*(neighbours[group] for group in frontier)) - reached
        left -= reached
        yield reached


def _doubt(groups: Iterable[frozenset[str]], doubtful: dict[str, set[str]]) -> None:
    everybody = frozenset().union(*groups)
    for key in everybody:
        doubtful[key] |= everybody


def _one_of_each_source(groups: Iterable[frozenset[str]]) -> bool:
    sources = _sources(groups)
    return len(sources) == len(set(sources))


def _sources(groups: Iterable[frozenset[str]]) -> list[str]:
    return [split_lead_key(key)[0] for group in groups for key in group]
