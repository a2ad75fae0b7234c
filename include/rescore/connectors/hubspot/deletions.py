"""Contacts and companies that were deleted: HubSpot lists all of the last 90 days, not what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.values import milliseconds
from rescore.connectors.hubspot.windows import follow, next_token, rows_of
from rescore.lake.records import AccountRecord, LeadRecord, Page

EVERY = 3_600_000
"""Milliseconds between two listings: a call for every hundred records, whether or not any is new.

A write to a deleted contact is refused in the meantime, so nothing wrong happens until then.
"""


def deleted_pages(
    client: Client, path: str, cursor: Cursor | None, *, until: datetime, gone: Callable[[list[str]], Page]
) -> Iterator[Page]:
    """Every record that is deleted at present, as `gone` says; nothing until the last list is an hour old.

    One that is restored leaves the list and comes as a changed record. A contact that was deleted for
    privacy is in no list: it shows when a write does not find it.
    """
    state, now = cursor or {}, milliseconds(until)
    if "after" not in state and now - state.get("read", 0) < EVERY:
        return

    def ask(token: str | None) -> tuple[list[JsonObject], str | None]:
        params = {"archived": "true", "limit": client.limits.batch} | ({"after": token} if token else {})
        answer = client.get(path, params)
        return rows_of(answer, "results", what=f"GET {path}"), next_token(answer)

    for rows, token in follow(ask, state.get("after"), what=f"GET {path}"):
        page = gone([row["id"] for row in rows if isinstance(row.get("id"), str)])
        page.cursor.update({"after": token} if token else {"read": now})
        yield page


def deleted_leads(ids: list[str]) -> Page:
    """Contacts that are gone."""
    return Page(leads=[LeadRecord(lead_id, {}, deleted=True) for lead_id in ids])


def deleted_accounts(ids: list[str]) -> Page:
    """Companies that are gone."""
    return Page(accounts=[AccountRecord(account_id, {}, deleted=True) for account_id in ids])
