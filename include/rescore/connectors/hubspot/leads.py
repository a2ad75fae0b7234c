"""Contacts as leads: one whole set of attributes per contact, and who was merged into them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.adjustments import adjustments
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import HubSpotLeads
from rescore.connectors.hubspot.recipients import ADDRESSES, Recipients, addresses_of
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.values import read_plain
from rescore.connectors.values import read_attributes
from rescore.lake.records import ActivityRecord, LeadRecord, Page, SetAside
from rescore.withheld import OBJECTS

MERGED = "hs_merged_object_ids"


def lead_pages(
    client: Client, leads: HubSpotLeads, recipients: Recipients, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Contacts in the order of change, each with its addresses, which `recipients` remembers too.

    Our own writes move a contact's modified date, so it comes again; its attributes, among which no
    score property is, have not changed and the lake drops it.
    """
    properties = [MERGED, *ADDRESSES, *(attribute.property for attribute in leads.attributes.values())]
    properties += [leads.objection] if leads.objection else []
    properties += leads.same_person.properties
    changed = changed_since(
        client, leads.search, modified=leads.modified, properties=properties, cursor=cursor, until=until
    )
    for rows, following in changed:
        page = Page(cursor=following)
        for row in rows:
            _read(row, leads, page)
            recipients.learn(row)
        for found in adjustments(client, leads, [lead.lead_id for lead in page.leads], until=until):
            if isinstance(found, ActivityRecord):
                page.activities.append(found)
            else:
                page.set_aside.append(found)
        yield page


def _read(row: JsonObject, leads: HubSpotLeads, page: Page) -> None:
    """One contact into the page; an attribute that cannot be read is set aside alone."""
    lead_id, properties = row.get("id"), row.get("properties")
    if not isinstance(lead_id, str) or not lead_id:
        page.set_aside.append(SetAside("lead", "", "id_missing", str(row)))
        return
    if not isinstance(properties, dict):
        page.set_aside.append(SetAside("lead", lead_id, "properties_missing", str(row)))
        return
    attributes = read_attributes(
        leads.attributes, properties.get, read_plain, page, kind="lead", record_id=lead_id
    )
    if leads.objection:
        attributes[OBJECTS] = _says_yes(properties.get(leads.objection))
    page.leads.append(
        LeadRecord(
            lead_id,
            attributes,
            merged=_merged(properties.get(MERGED)),
            addresses=tuple(addresses_of(row)),
            same_as=leads.same_person.keys(properties.get),
        )
    )


def _says_yes(value: object) -> bool:
    """Anything a person may have put there but a clear no: whom we are not sure of is not profiled."""
    return str(value or "").strip().lower() not in ("", "false", "no", "0")


def _merged(text: object) -> tuple[str, ...]:
    """`1;2;3` as HubSpot lists the records that went into this one."""
    return tuple(part for part in str(text or "").split(";") if part.isdecimal())
