"""Contacts that were deleted: HubSpot lists all of the last 90 days, and cannot be asked for new ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.values import milliseconds
from rescore.connectors.hubspot.windows import follow, next_token, rows_of
from rescore.lake.records import LeadRecord, Page

EVERY = 3_600_000
"""Milliseconds between two listings: a call for every hundred contacts, whether or not any is new.

A write to a deleted contact is refused in the meantime, so nothing wrong happens until then.
"""


def deleted_pages(client: Client, path: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
    """Every contact that is deleted at present; nothing when the last listing is not an hour old.

    A contact that is restored leaves the list and comes as a changed contact. One that was deleted for
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
        gone = [
            LeadRecord(str(row["id"]), {}, deleted=True) for row in rows if isinstance(row.get("id"), str)
        ]
        yield Page(leads=gone, cursor={"after": token} if token else {"read": now})
