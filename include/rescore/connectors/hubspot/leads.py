"""Contacts as leads: one whole set of attributes per contact, and who was merged into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.adjustments import adjustments
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import HubSpotLeads
from rescore.connectors.hubspot.reading_back import MERGED, merged_into
from rescore.connectors.hubspot.recipients import ADDRESSES, Recipients, addresses_of
from rescore.connectors.hubspot.records import identified
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.sweep import Sweep
from rescore.connectors.hubspot.values import milliseconds, read_plain
from rescore.connectors.values import read_attributes
from rescore.lake.records import ActivityRecord, LeadRecord, Page
from rescore.withheld import OBJECTS


def lead_pages(
    client: Client, leads: HubSpotLeads, recipients: Recipients, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Contacts in the order of change, each with its addresses, which `recipients` remembers too.

    Our own writes move a contact's modified date, so it comes again; its attributes, among which no
    score property is, have not changed and the lake drops it. What HubSpot computes, such as the company,
    may change without moving that date: where the mapping says how to list contacts, each comes again
    in turn.
    """
    properties = [MERGED, *ADDRESSES, *(attribute.property for attribute in leads.attributes.values())]
    properties += [leads.objection] if leads.objection else []
    properties += leads.same_person.properties
    cursor = dict(cursor or {})
    sweep = Sweep(
        client, leads.listing, properties=properties, state=cursor.pop("sweep", None), now=milliseconds(until)
    )
    changed = changed_since(
        client, leads.search, modified=leads.modified, properties=properties, cursor=cursor, until=until
    )
    for rows, cursor in changed:
        page = _page(rows, leads, recipients)
        for found in adjustments(client, leads, [lead.lead_id for lead in page.leads], until=until):
            if isinstance(found, ActivityRecord):
                page.activities.append(found)
            else:
                page.set_aside.append(found)
        yield _upto(page, cursor, sweep)
    for rows in sweep.rows():
        page = _page(rows, leads, recipients)
        page.set_aside.clear()  # it was set aside when it changed
        yield replace(_upto(page, cursor, sweep), again=page.rows)


def _page(rows: Sequence[JsonObject], leads: HubSpotLeads, recipients: Recipients) -> Page:
    page = Page()
    for lead_id, properties in identified(rows, page, kind="lead"):
        attributes = read_attributes(
            leads.attributes, properties.get, read_plain, page, kind="lead", record_id=lead_id
        )
        if leads.objection:
            attributes[OBJECTS] = _says_yes(properties.get(leads.objection))
        addresses = tuple(addresses_of(properties))
        recipients.learn(lead_id, addresses)
        merged, same_as = merged_into(properties), leads.same_person.keys(properties.get)
        page.leads.append(LeadRecord(lead_id, attributes, merged, addresses, same_as=same_as))
    return page


def _upto(page: Page, cursor: Cursor, sweep: Sweep) -> Page:
    page.cursor.update(cursor | ({"sweep": sweep.state} if sweep.state else {}))
    return page


def _says_yes(value: object) -> bool:
    """Anything a person may have put there but a clear no: whom we are not sure of is not profiled."""
    return str(value or "").strip().lower() not in ("", "false", "no", "0")
