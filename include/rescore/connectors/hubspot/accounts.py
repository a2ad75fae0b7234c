"""Companies as accounts: one whole set of attributes per company, and which were merged into it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client
from rescore.connectors.hubspot.mapping import HubSpotAccounts
from rescore.connectors.hubspot.reading_back import MERGED, merged_into
from rescore.connectors.hubspot.records import identified
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.values import read_plain
from rescore.connectors.values import read_attributes
from rescore.lake.records import AccountRecord, Page


def account_pages(
    client: Client, accounts: HubSpotAccounts, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Companies that changed; each comes whole, so a property that was emptied is missing.

    A merge makes a new company of two, or leaves the first of them: either way it lists the lost ones.
    """
    properties = [MERGED, *(attribute.property for attribute in accounts.attributes.values())]
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
        for account_id, values in identified(rows, page, kind="account"):
            attributes = read_attributes(
                accounts.attributes, values.get, read_plain, page, kind="account", record_id=account_id
            )
            page.accounts.append(AccountRecord(account_id, attributes, merged=merged_into(values)))
        yield page
