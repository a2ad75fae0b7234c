"""What a HubSpot account offers: the properties of its objects, its forms, and how many records there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rescore.connectors.describing import (
    Holds,
    Listing,
    Offered,
    Use,
    Volume,
    uses_of_attributes,
    uses_of_leads,
    uses_of_targets,
)
from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.forms import names_of_forms
from rescore.connectors.hubspot.mapping import Deals, Engagements, Forms, HubSpotMapping
from rescore.connectors.hubspot.values import milliseconds
from rescore.connectors.hubspot.windows import rows_of

HOLDS: Mapping[str, Holds] = MappingProxyType(
    {
        "string": "text",
        "phone_number": "text",
        "number": "number",
        "bool": "flag",
        "enumeration": "choice",
        "date": "date",
        "datetime": "timestamp",
    }
)
SEVERAL = "checkbox"
"""The `fieldType` of a list of which several may be chosen."""


def listings(client: Client, mapping: HubSpotMapping) -> Iterator[Listing]:
    """See `Describable.describe`."""
    for path, uses in _uses(mapping).items():
        yield _objects(client, path, uses)
    for stream, read in mapping.activities.items():
        if isinstance(read, Forms):
            named = names_of_forms(client, read.listing)
            forms = [Offered(guid, name, "other", "form") for guid, name in named.items()]
            yield Listing("forms", forms, [Use(guid, f"activities.{stream}") for guid in read.forms or named])


def _uses(mapping: HubSpotMapping) -> dict[str, list[Use]]:
    """What is used of each kind of object, by the path that lists its properties."""
    leads, tasks = mapping.leads, mapping.tasks
    of_contacts = uses_of_leads(leads) + uses_of_targets(mapping)
    of_contacts.append(Use(leads.modified, "leads.modified"))
    if leads.adjustments:
        of_contacts += [Use(name, "leads.adjustments") for name in leads.adjustments.properties]
    found = {leads.properties: of_contacts}
    if mapping.accounts:
        uses = uses_of_attributes(mapping.accounts.attributes, "accounts.attributes")
        found[mapping.accounts.properties] = [*uses, Use(mapping.accounts.modified, "accounts.modified")]
    for stream, read in mapping.activities.items():
        if isinstance(read, Engagements | Deals):
            kind = read.search.split("/")[-2]
            path = f"{leads.properties.rpartition('/')[0]}/{kind}"
            found.setdefault(path, []).extend(
                Use(name, f"activities.{stream}") for name in sorted({*read.read_properties, read.modified})
            )
    if tasks:
        found.setdefault(tasks.properties, []).extend(
            [Use(tasks.delivery, "tasks.delivery"), Use(tasks.automation, "tasks.automation")]
        )
    return found


def volumes(client: Client, mapping: HubSpotMapping, *, since: datetime | None) -> Iterator[Volume]:
    """See `Describable.volumes`; events and submissions are in lists that nobody counts."""
    limits = client.limits
    count = _total(client, mapping.leads.search, mapping.leads.modified, None)
    yield Volume("contacts", count, {"searches": _pages(count, limits.search_page)})
    if mapping.accounts:
        count = _total(client, mapping.accounts.search, mapping.accounts.modified, None)
        yield Volume("companies", count, {"searches": _pages(count, limits.search_page)})
    for stream, read in mapping.activities.items():
        if not isinstance(read, Engagements | Deals):
            yield Volume(stream, None)
            continue
        count = _total(client, read.search, read.modified, since)
        searches, associations = _pages(count, limits.search_page), _pages(count, limits.associations)
        yield Volume(stream, count, {"searches": searches, "calls": associations})


def _objects(client: Client, path: str, uses: list[Use]) -> Listing:
    what = path.rpartition("/")[2]
    try:
        rows = rows_of(client.get(path), "results", what="properties")
    except Refused as refusal:
        return Listing(f"{what} properties", None, uses, note=str(refusal))
    return Listing(f"{what} properties", [_offered(row) for row in rows if row.get("name")], uses)


def _offered(row: JsonObject) -> Offered:
    kind = str(row.get("type") or "")
    about: Any = row.get("modificationMetadata")
    read_only = isinstance(about, dict) and about.get("readOnlyValue") is True
    holds = "choices" if row.get("fieldType") == SEVERAL else HOLDS.get(kind, "other")
    return Offered(str(row["name"]), str(row.get("label") or row["name"]), holds, kind, read_only)


def _total(client: Client, path: str, modified: str, since: datetime | None) -> int | None:
    """How many records a search finds, from one of them."""
    at_least = {
        "propertyName": modified,
        "operator": "GTE",
        "value": str(milliseconds(since) if since else 0),
    }
    total = client.search(path, {"filterGroups": [{"filters": [at_least]}], "limit": 1}).get("total")
    return total if isinstance(total, int) else None


def _pages(rows: int | None, size: int) -> int:
    return -(-(rows or 0) // size) + 1
