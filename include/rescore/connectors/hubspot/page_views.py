"""Pages that leads visited, from the occurrences of one event type."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import PageViews
from rescore.connectors.hubspot.reading import activity_page, happened_at, needed, path_and_fields, texts
from rescore.connectors.hubspot.values import EPOCH, iso
from rescore.connectors.hubspot.windows import Rows, newest_windows, next_token, rows_of, window_pages
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Page


def page_view_pages(
    client: Client,
    stream: str,
    views: PageViews,
    languages: Collection[str],
    cursor: Cursor | None,
    *,
    until: datetime,
    oldest: int,
) -> Iterator[Page]:
    """Visits between the cursor, at first `oldest` (ms), and `until`."""

    def ask(start: int, end: int, token: str | None) -> tuple[Rows, str | None]:
        params = {
            "objectType": "contact",
            "eventType": views.event,
            "occurredAfter": iso(EPOCH + timedelta(milliseconds=start)),
            "occurredBefore": iso(EPOCH + timedelta(milliseconds=end)),
            "sort": "occurredAt",
            "limit": views.page,
            **({"after": token} if token else {}),
        }
        answer = client.get(views.path, params)
        return rows_of(answer, "results", what=f"GET {views.path}"), next_token(answer)

    def read(row: JsonObject) -> list[ActivityRecord]:
        properties = row.get("properties")
        if not isinstance(properties, dict):
            raise RecordUnreadable("properties_missing")
        path, fields = path_and_fields(properties.get(views.url), languages)
        named = {ours: properties.get(theirs) for ours, theirs in views.fields.items()}
        return [
            ActivityRecord(
                activity_id=f"{stream}:{needed(row.get('id'), 'id_missing')}",
                lead_id=needed(row.get("objectId"), "no_contact"),
                type=views.type,
                occurred_at=happened_at(row.get("occurredAt")),
                asset=path,
                channel=views.channel,
                fields=fields | texts(named),
            )
        ]

    pages = window_pages(
        ask,
        cursor or newest_windows(oldest, until),
        moment="occurredAt",
        overlap=client.limits.overlap,
        until=until,
        what=stream,
    )
    for rows, following in pages:
        yield activity_page(rows, read, record_id=lambda row: f"{stream}:{row.get('id')}", cursor=following)
