"""Opens and clicks of marketing e-mails, from the one list that has them: a v1 endpoint, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import EmailEvents
from rescore.connectors.hubspot.reading import (
    activity_page,
    happened_at,
    needed,
    of_contact,
    path_and_fields,
    texts,
)
from rescore.connectors.hubspot.recipients import Recipients
from rescore.connectors.hubspot.windows import Rows, rows_of, window_pages
from rescore.lake.records import ActivityRecord, Page, Unclaimed


def email_event_pages(
    client: Client,
    stream: str,
    events: EmailEvents,
    languages: Collection[str],
    recipients: Recipients,
    cursor: Cursor | None,
    *,
    until: datetime,
    oldest: int,
) -> Iterator[Page]:
    """Events between the cursor, at first `oldest` (ms), and `until`.

    The vendor's key of one is its id and its creation time.

    Other types than the mapping's (sent, delivered, ...) are no activities of the lead and are left out.
    """

    def ask(start: int, end: int, token: str | None) -> tuple[Rows, str | None]:
        params = {
            "startTimestamp": start,
            "endTimestamp": end,
            **({} if events.filtered else {"excludeFilteredEvents": "true"}),
            "limit": events.page,
            **({"offset": token} if token else {}),
        }
        answer = client.get(events.path, params)
        rows = rows_of(answer, "events", what=f"GET {events.path}")
        return rows, str(answer["offset"]) if answer.get("hasMore") and answer.get("offset") else None

    pages = window_pages(
        ask,
        cursor or {"since": oldest},
        moment="created",
        overlap=client.limits.overlap,
        until=until,
        what=stream,
    )
    for rows, following in pages:
        wanted = [row for row in rows if row.get("type") in events.types]
        contacts = recipients.contacts(str(row["recipient"]) for row in wanted if row.get("recipient"))

        def read(row: JsonObject, contacts: dict[str, str] = contacts) -> list[ActivityRecord | Unclaimed]:
            recipient = needed(row.get("recipient"), "no_contact")
            subject = row.get("subject")
            path, fields = path_and_fields(row.get("url"), languages)
            named = {"subject": subject, "campaign": row.get("emailCampaignId")}
            named |= {name: row.get(theirs) for name, theirs in events.fields.items()}
            if row.get("filteredEvent") is True:
                named["filtered"] = "true"
            activity = ActivityRecord(
                activity_id=_record_id(stream, row),
                lead_id=contacts.get(recipient, ""),
                type=events.types[row["type"]],
                occurred_at=happened_at(row.get("created")),
                asset=path or (str(subject) if subject else None),
                channel=events.channel,
                fields=fields | texts(named),
            )
            return [of_contact(activity, recipient)]

        yield activity_page(wanted, read, record_id=lambda row: f"{stream}:{row.get('id')}", cursor=following)


def _record_id(stream: str, row: JsonObject) -> str:
    return f"{stream}:{needed(row.get('id'), 'id_missing')}:{needed(row.get('created'), 'time_missing')}"
