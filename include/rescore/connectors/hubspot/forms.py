"""Form submissions: one list per form, newest first, which cannot be asked for a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import Forms
from rescore.connectors.hubspot.reading import (
    activity_page,
    happened_at,
    needed,
    of_contact,
    path_and_fields,
    texts,
)
from rescore.connectors.hubspot.recipients import Recipients
from rescore.connectors.hubspot.values import milliseconds, read_moment
from rescore.connectors.hubspot.windows import Rows, follow, next_token, rows_of
from rescore.lake.records import ActivityRecord, Page, Unclaimed


def form_pages(
    client: Client,
    stream: str,
    forms: Forms,
    languages: Collection[str],
    recipients: Recipients,
    cursor: Cursor | None,
    *,
    until: datetime,
    oldest: int,
) -> Iterator[Page]:
    """Submissions of every form, each list read back to where the last run began, or to `oldest` (ms).

    The cursor is `{"since": {guid: ms}}`; within a form's list also `{"reading": {form, after, newest}}`.
    """
    since: dict[str, int] = dict((cursor or {}).get("since") or {})
    reading: dict[str, Any] = (cursor or {}).get("reading") or {}
    end = milliseconds(until)
    named = names_of_forms(client, forms.listing)
    for guid in sorted(forms.forms or named):
        name = named.get(guid, guid)
        resumed = reading if reading.get("form") == guid else {}
        known = since.get(guid, oldest)
        back_to = known - round(client.limits.overlap * 1000)
        newest = resumed.get("newest", known)
        path = forms.path.format(form=quote(guid, safe=""))

        def ask(token: str | None, path: str = path) -> tuple[Rows, str | None]:
            answer = client.get(path, {"limit": forms.page, **({"after": token} if token else {})})
            return rows_of(answer, "results", what=f"GET {path}"), next_token(answer)

        for rows, token in follow(ask, resumed.get("after"), what=stream):
            times = [_submitted(row) for row in rows]
            newest = max(newest, *(moment for moment in times if moment <= end), 0)
            fresh = [row for row, moment in zip(rows, times, strict=True) if not 0 < moment < back_to]
            done = token is None or any(0 < moment < back_to for moment in times)
            if done:
                since[guid] = newest
            following: Cursor = {"since": dict(since)}
            if not done:
                following["reading"] = {"form": guid, "after": token, "newest": newest}
            yield _page(stream, forms, guid, name, fresh, languages, recipients, following)
            if done:
                break


def names_of_forms(client: Client, listing: str) -> dict[str, str]:
    """Every form: its name by its GUID."""

    def ask(token: str | None) -> tuple[Rows, str | None]:
        answer = client.get(listing, {"limit": 100, **({"after": token} if token else {})})
        return rows_of(answer, "results", what=f"GET {listing}"), next_token(answer)

    return {
        str(form["id"]): str(form.get("name") or form["id"])
        for rows, _ in follow(ask, None, what="forms")
        for form in rows
        if isinstance(form.get("id"), str)
    }


def _page(
    stream: str,
    forms: Forms,
    guid: str,
    name: str,
    rows: Rows,
    languages: Collection[str],
    recipients: Recipients,
    cursor: Cursor,
) -> Page:
    contacts = recipients.contacts(address for row in rows if (address := _address(row)))

    def read(row: JsonObject) -> list[ActivityRecord | Unclaimed]:
        address = needed(_address(row), "no_contact")
        path, fields = path_and_fields(row.get("pageUrl"), languages)
        activity = ActivityRecord(
            activity_id=f"{stream}:{needed(row.get('conversionId'), 'id_missing')}",
            lead_id=contacts.get(address, ""),
            type=forms.type,
            occurred_at=happened_at(row.get("submittedAt")),
            asset=name,
            channel=forms.channel,
            fields=fields | texts({"form": guid, "path": path}),
        )
        return [of_contact(activity, address)]

    return activity_page(
        rows, read, record_id=lambda row: f"{stream}:{row.get('conversionId')}", cursor=cursor
    )


def _address(row: JsonObject) -> str | None:
    """The first filled `email` among a submission's values."""
    values = row.get("values")
    for value in values if isinstance(values, list) else []:
        if isinstance(value, dict) and value.get("name") == "email" and value.get("value"):
            return str(value["value"])
    return None


def _submitted(row: JsonObject) -> int:
    try:
        return milliseconds(read_moment(row.get("submittedAt")))
    except ValueError:
        return 0
