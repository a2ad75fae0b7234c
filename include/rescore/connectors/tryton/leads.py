"""Leads and opportunities as leads: one whole set of attributes each, also when only their party changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.tryton.changes import Rows, changed_since, rows_of
from rescore.connectors.tryton.client import Client, Row
from rescore.connectors.tryton.mapping import TrytonLeads
from rescore.connectors.tryton.values import at_path, read_plain, says_yes
from rescore.connectors.values import read_attributes
from rescore.lake.records import LeadRecord, Page
from rescore.withheld import OBJECTS

LEAD = "sale.opportunity"
MECHANISMS = "party.contact_mechanisms"
CONTACTS = ("contact.type", "contact.value", f"{MECHANISMS}.type", f"{MECHANISMS}.value")
RELATED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "party": ("party.party", "id"),
        MECHANISMS: ("party.contact_mechanism", "party"),
        "party.addresses": ("party.address", "party"),
    }
)
"""By the path from a lead: the model behind it, and where that names the party. Their changes do not move a
lead's own `write_date`."""

ARCHIVED_TOO = ("active", "in", [True, False])


def lead_pages(
    client: Client, leads: TrytonLeads, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Leads in the order of change, then those of parties that changed.

    Our own writes change a lead, so it comes again; its attributes, among which no score is, have not changed
    and the lake drops it. The cursor holds one of `changed_since` for each model.
    """
    names = sorted({"party", *CONTACTS, *leads.read_properties})
    related = [model for path, model in RELATED.items() if any(name.startswith(f"{path}.") for name in names)]
    began = [(until - timedelta(seconds=client.limits.overlap)).isoformat(), 0]
    state: dict[str, Any] = {model: {"create_date": began, "write_date": began} for model, _ in related}
    state |= cursor or {}
    for rows, following in changed_since(client, LEAD, [], names, state.get(LEAD), until=until):
        state[LEAD] = following
        yield _page(rows, leads, state)
    for model, party in related:
        changed = changed_since(client, model, [ARCHIVED_TOO], [party], state[model], until=until)
        for rows, following in changed:
            state[model] = following
            yield _page(_of_parties(client, rows, party, names), leads, state)


def addresses_of(row: Row) -> list[str]:
    """The e-mail addresses of a lead's contact and party, or of a party."""
    party = row.get("party.", row) or {}
    ways = [row.get("contact."), *(party.get("contact_mechanisms.") or [])]
    found = [way.get("value") for way in ways if isinstance(way, dict) and way.get("type") == "email"]
    return list(dict.fromkeys(value for value in found if isinstance(value, str) and value))


def _of_parties(client: Client, rows: Rows, party: str, names: Sequence[str]) -> Rows:
    parties = sorted({row[party] for row in rows if isinstance(row.get(party), int)})
    if not parties:
        return []
    return rows_of(
        client, LEAD, "search_read", [["party", "in", parties]], 0, None, [["id", "ASC"]], list(names)
    )


def _page(rows: Rows, leads: TrytonLeads, state: Cursor) -> Page:
    page = Page(cursor=dict(state))
    for row in rows:
        _read(row, leads, page)
    return page


def _read(row: Row, leads: TrytonLeads, page: Page) -> None:
    """One lead into the page; an attribute that cannot be read is set aside alone."""
    lead_id = str(row["id"])
    attributes = read_attributes(
        leads.attributes, lambda name: at_path(row, name), read_plain, page, kind="lead", record_id=lead_id
    )
    if leads.objection:
        attributes[OBJECTS] = says_yes(at_path(row, leads.objection))
    page.leads.append(
        LeadRecord(
            lead_id,
            attributes,
            addresses=tuple(addresses_of(row)),
            same_as=leads.same_person.keys(lambda name: at_path(row, name)),
        )
    )
