"""Every object of a kind that changed since a moment, in that order, from a search that cannot page far.

HubSpot stops a search at 10,000 rows, and `after` is an offset into a list that changes while it is
read: a row updated between two pages moves to the end and pulls an unread one out of the next page.
So no page is asked for by offset. Each search starts again at the moment the last one ended; only an
instant that fills a whole page by itself (a bulk import) is read by record id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.values import milliseconds, read_moment
from rescore.errors import CrmUnavailable, CursorStuck

Rows = list[JsonObject]


def changed_since(
    client: Client,
    path: str,
    *,
    modified: str,
    properties: Sequence[str],
    cursor: Cursor | None,
    until: datetime,
) -> Iterator[tuple[Rows, Cursor]]:
    """Rows changed from the cursor (less the overlap) to `until`, and the cursor after them.

    A row may come twice. The cursor is `{"since": ms}` with the latest change seen, within a crowded instant
    also `{"after_id": id}`, and at the end of a reading `{"read": ms}`, its `until`. What was changed longer
    than the overlap before that has been seen: when nothing new follows on a thousand scores that we wrote
    ourselves, they come once more and not in every run.
    """
    search = _Search(client, path, modified, properties, milliseconds(until))
    since, after_id = _start(cursor, client.limits.overlap)
    while True:
        if after_id is None:
            rows = search.from_moment(since)
            last = _last_moment(rows, modified, since)
            full = len(rows) >= client.limits.search_page
            if full and last == since:
                after_id = 0  # this instant alone fills a page
                continue
            if not full:
                yield rows, {"since": last, "read": search.until}
                return
            yield rows, {"since": last}
            since = last
        else:
            rows = search.within_instant(since, after_id)
            if rows:
                following = max(_record_id(row) for row in rows)
                if following <= after_id:
                    raise CursorStuck(f"POST {path} answers with the same records again and again")
                after_id = following
                yield rows, {"since": since, "after_id": after_id}
            if len(rows) < client.limits.search_page:
                since, after_id = since + 1, None


class _Search:
    """The two searches that together never page."""

    def __init__(
        self, client: Client, path: str, modified: str, properties: Sequence[str], until: int
    ) -> None:
        self._client = client
        self._path = path
        self._modified = modified
        self.until = until
        self._rest = {"limit": client.limits.search_page, "properties": [*properties, modified]}

    def from_moment(self, since: int) -> Rows:
        """The oldest changes from a moment on."""
        return self._rows(
            filters=[self._at("GTE", since), self._at("LTE", self.until)],
            sort=self._modified,
        )

    def within_instant(self, moment: int, after_id: int) -> Rows:
        """Changes of one instant, by record id."""
        later = {"propertyName": "hs_object_id", "operator": "GT", "value": str(after_id)}
        instant = [self._at("GTE", moment), self._at("LTE", moment)]
        return self._rows(filters=[*instant, later], sort="hs_object_id")

    def _at(self, operator: str, moment: int) -> JsonObject:
        return {"propertyName": self._modified, "operator": operator, "value": str(moment)}

    def _rows(self, *, filters: list[JsonObject], sort: str) -> Rows:
        sorts = [{"propertyName": sort, "direction": "ASCENDING"}]
        body = {"filterGroups": [{"filters": filters}], "sorts": sorts, **self._rest}
        rows = self._client.search(self._path, body).get("results")
        if not isinstance(rows, list):
            raise CrmUnavailable(f"POST {self._path} answered without results; the next run tries again")
        return [row for row in rows if isinstance(row, dict)]


def _start(cursor: Cursor | None, overlap: float) -> tuple[int, int | None]:
    if not cursor or "since" not in cursor:
        return 0, None
    if "after_id" in cursor:
        return cursor["since"], cursor["after_id"]
    margin = round(overlap * 1000)
    seen = min(cursor["since"], cursor.get("read", 0) - margin)
    return max(0, cursor["since"] - margin, seen), None


def _last_moment(rows: Rows, modified: str, since: int) -> int:
    """The latest modified date that can be read: a row without one cannot hold the stream back."""
    moments = []
    for row in rows:
        try:
            moments.append(milliseconds(read_moment(_property(row, modified))))
        except ValueError:
            continue
    if rows and not moments:
        raise CursorStuck(f"a whole page has no readable `{modified}`; check `modified` in the mapping")
    return max([since, *moments])


def _property(row: JsonObject, name: str) -> Any:
    properties = row.get("properties")
    return properties.get(name) if isinstance(properties, dict) else None


def _record_id(row: JsonObject) -> int:
    text = str(row.get("id"))
    return int(text) if text.isdecimal() else 0
