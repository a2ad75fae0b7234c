"""Whose record a record of Tryton's is: the leads behind a lead, a party or a sale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rescore.connectors.tryton.changes import Rows, rows_of
from rescore.connectors.tryton.client import Client
from rescore.connectors.tryton.leads import LEAD, MECHANISMS, addresses_of
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Unclaimed

PARTY, SALE = "party.party", "sale.sale"


@dataclass(frozen=True, slots=True)
class Owner:
    """The leads of one person, oldest first; without any, the addresses under which one may come."""

    leads: Sequence[str] = ()
    addresses: Sequence[str] = ()

    def of(self, activity: ActivityRecord) -> Iterator[ActivityRecord | Unclaimed]:
        """The activity once for each lead; the first keeps its id, which is also that of one that waits.

        Raises:
            RecordUnreadable: `no_lead`.
        """
        if not self.leads and not self.addresses:
            raise RecordUnreadable("no_lead")
        if not self.leads:
            yield Unclaimed(self.addresses[0], activity)
        for number, lead in enumerate(self.leads):
            activity_id = f"{activity.activity_id}:{lead}" if number else activity.activity_id
            yield replace(activity, activity_id=activity_id, lead_id=lead)


def owners_of(client: Client, references: Iterable[object]) -> dict[str, Owner]:
    """The owner of each reference, such as `party.party,7`; those to anything else are missing."""
    ids: dict[str, set[int]] = defaultdict(set)
    for reference in references:
        model, _, number = str(reference).partition(",")
        if number.isdecimal():
            ids[model].add(int(number))
    owners = {f"{LEAD},{number}": Owner([str(number)]) for number in ids[LEAD]}
    sales = {row["id"]: row.get("party") for row in _rows(client, SALE, ids[SALE], ["party"])}
    wanted = ids[PARTY] | {party for party in sales.values() if isinstance(party, int)}
    parties = _owners(client, wanted)
    owners |= {f"{PARTY},{party}": owner for party, owner in parties.items()}
    return owners | {f"{SALE},{sale}": parties[party] for sale, party in sales.items() if party in parties}


def _owners(client: Client, parties: set[int]) -> dict[int, Owner]:
    leads: dict[int, list[str]] = defaultdict(list)
    if parties:
        domain, order = [["party", "in", sorted(parties)]], [["id", "ASC"]]
        for row in rows_of(client, LEAD, "search_read", domain, 0, None, order, ["party"]):
            leads[row["party"]].append(str(row["id"]))
    names = [f"{MECHANISMS.partition('.')[2]}.{name}" for name in ("type", "value")]
    return {
        row["id"]: Owner(leads[row["id"]], addresses_of(row)) for row in _rows(client, PARTY, parties, names)
    }


def _rows(client: Client, model: str, ids: set[int], names: Sequence[str]) -> Rows:
    """Those that are still there and may be seen, archived ones too."""
    if not ids:
        return []
    domain: list[object] = [["id", "in", sorted(ids)]]
    if model == PARTY:
        domain.append(["active", "in", [True, False]])
    return rows_of(client, model, "search_read", domain, 0, None, None, list(names))
