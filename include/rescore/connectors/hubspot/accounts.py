"""Companies as accounts: one whole set of attributes per company, in the order of change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import HubSpotAccounts
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.values import read_plain
from rescore.connectors.values import read_attributes
from rescore.lake.records import AccountRecord, Page, SetAside


def account_pages(
    client: Client, accounts: HubSpotAccounts, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Companies that changed; each comes whole, so a property that was emptied is missing."""
    properties = [attribute.property for attribute in accounts.attributes.values()]
    changed = changed_since(
        client,
        accounts.search,
        modified=accounts.modified,
        properties=properties,
        cursor=cursor,
        until=until,
    )
    for rows, following in changed:
        page = Page(cursor=following)
        for row in rows:
            _read(row, accounts, page)
        yield page


def _read(row: JsonObject, accounts: HubSpotAccounts, page: Page) -> None:
    """One company into the page; an attribute that cannot be read is set aside alone."""
    account_id, properties = row.get("id"), row.get("properties")
    if not isinstance(account_id, str) or not account_id:
        page.set_aside.append(SetAside("account", "", "id_missing", str(row)))
        return
    if not isinstance(properties, dict):
        page.set_aside.append(SetAside("account", account_id, "properties_missing", str(row)))
        return
    attributes = read_attributes(
        accounts.attributes, properties.get, read_plain, page, kind="account", record_id=account_id
    )
    page.accounts.append(AccountRecord(account_id, attributes))
