"""Leads and contacts as leads: one whole set of attributes per person, and who was merged into them.

The ids of both kinds are distinct, so a person's id is the record's own. A converted lead is its contact
from then on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.salesforce.changes import Rows, Unreadable, begun, by_id, changed_since, children
from rescore.connectors.salesforce.client import Client, JsonObject
from rescore.connectors.salesforce.mapping import PersonKind, SalesforceLeads
from rescore.connectors.salesforce.values import at_path, is_id, read_plain
from rescore.connectors.values import read_attributes
from rescore.lake.records import LeadRecord, Page, SetAside
from rescore.withheld import OBJECTS

CONVERSION = ("IsConverted", "ConvertedContactId")
FURTHEST = 10
"""Merges and conversions in a row that are followed."""

Identity = tuple[PersonKind, str]


def person_pages(
    client: Client, leads: SalesforceLeads, cursor: Cursor | None, *, until: datetime, unreadable: Unreadable
) -> Iterator[Page]:
    """One kind of person after the other, each in the order of change, with its e-mail address.

    The cursor holds a place for each kind, and for accounts and individuals whose fields are read through
    it: those who refer to one that changed come again. Our own writes move `SystemModstamp`, so a person
    comes again; the attributes, among which no score field is, have not changed and the lake drops them.
    """
    reading = _Reading(client, leads, unreadable)
    related = {kind: leads.related(kind) for kind in leads.kinds}
    places = [f"{kind}.{entity}" for kind, entities in related.items() for entity in entities]
    state = begun(cursor, places, until)
    for kind in leads.kinds:
        changed = changed_since(
            client, kind, reading.names(kind), cursor=state.get(kind), until=until, unreadable=unreadable
        )
        for rows, following in changed:
            state[kind] = following
            yield reading.page(kind, rows, dict(state))
        for entity, by in related[kind].items():
            place = f"{kind}.{entity}"
            news = changed_since(client, entity, (), cursor=state[place], until=until, unreadable=unreadable)
            for rows, following in news:
                state[place] = following
                yield reading.page(kind, reading.people_of(kind, by, rows), dict(state))


class _Reading:
    def __init__(self, client: Client, leads: SalesforceLeads, unreadable: Unreadable) -> None:
        self._client = client
        self._leads = leads
        self._unreadable = unreadable

    def names(self, kind: PersonKind) -> list[str]:
        """The fields of that kind that are read."""
        of_kind = CONVERSION if kind == "Lead" else ()
        return ["IsDeleted", "MasterRecordId", *of_kind, "Email", *self._leads.fields(kind)]

    def people_of(self, kind: PersonKind, by: str, rows: Rows) -> Rows:
        """The people who refer to these records, as if each of them had changed."""
        return children(
            self._client,
            kind,
            self.names(kind),
            by=by,
            parents=[str(row.get("Id")) for row in rows],
            where=["IsDeleted = false"],
            unreadable=self._unreadable,
        )

    def page(self, kind: PersonKind, rows: Rows, cursor: Cursor) -> Page:
        """One page; whoever became another person brings that one along."""
        page = Page(cursor=cursor)
        readable: list[JsonObject] = []
        for row in rows:
            if is_id(row.get("Id")):
                readable.append(row)
            else:
                page.set_aside.append(SetAside("lead", "", "id_missing", str(row)))
        became = {str(row["Id"]): other for row in readable if (other := successor(kind, row))}
        found = self._followed(became.values())
        for row in readable:
            identity = became.get(str(row["Id"]))
            if identity is None:
                self._add(page, kind, row)
                continue
            last, left = found.get(identity, (identity, None))
            if left is None:
                page.set_aside.append(
                    SetAside("lead", str(row["Id"]), "successor_not_visible", f"became {last[0]} {last[1]}")
                )
            elif left.get("IsDeleted"):
                page.leads.append(LeadRecord(str(row["Id"]), {}, deleted=True))
            else:
                self._add(page, last[0], left, merged=(str(row["Id"]),))
        return page

    def _followed(self, wanted: Iterable[Identity]) -> Mapping[Identity, tuple[Identity, JsonObject | None]]:
        """Each of these people as whoever they are now, and that record; None where it is not to be seen."""
        now: dict[Identity, Identity] = {one: one for one in wanted}
        rows: dict[Identity, JsonObject] = {}
        for _ in range(FURTHEST):
            asked: dict[PersonKind, list[str]] = defaultdict(list)
            for kind, record_id in set(now.values()) - rows.keys():
                asked[kind].append(record_id)
            if not asked:
                break
            for kind, ids in asked.items():
                found = by_id(self._client, kind, self.names(kind), sorted(ids), unreadable=self._unreadable)
                rows |= {(kind, record_id): found.get(record_id, {}) for record_id in ids}
            now = {one: successor(last[0], rows[last]) or last for one, last in now.items()}
        return {one: (last, rows.get(last) or None) for one, last in now.items()}

    def _add(self, page: Page, kind: PersonKind, row: JsonObject, merged: tuple[str, ...] = ()) -> None:
        """One person; an attribute that cannot be read is set aside alone."""
        lead_id = str(row["Id"])
        if row.get("IsDeleted"):
            page.leads.append(LeadRecord(lead_id, {}, deleted=True))
            return
        attributes = read_attributes(
            self._leads.attributes_of(kind),
            lambda path: at_path(row, path),
            read_plain,
            page,
            kind="lead",
            record_id=lead_id,
        )
        if self._leads.objection:
            attributes[OBJECTS] = at_path(row, self._leads.objection) not in (None, "", False)
        address = row.get("Email")
        addresses = (address,) if isinstance(address, str) and address else ()
        same_as = self._leads.same_person.keys(lambda name: at_path(row, name))
        page.leads.append(LeadRecord(lead_id, attributes, merged, addresses, same_as=same_as))


def successor(kind: PersonKind, row: JsonObject) -> Identity | None:
    """Who this record became: the one it was merged into, or the contact it was converted to.

    The person lives on in it, also when somebody deletes the converted lead's record.
    """
    if row.get("IsDeleted") and is_id(row.get("MasterRecordId")):
        return kind, str(row["MasterRecordId"])
    if kind == "Lead" and is_converted(row):
        return "Contact", str(row["ConvertedContactId"])
    return None


def is_converted(row: JsonObject) -> bool:
    """Whether a lead was converted to a contact."""
    return bool(row.get("IsConverted")) and is_id(row.get("ConvertedContactId"))
