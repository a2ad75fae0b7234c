"""Every object of a kind: first those that there are, then what changed, from a search that cannot page far.

HubSpot stops a search at 10,000 rows, and `after` is an offset into a list that changes while it is
read: a row updated between two pages moves to the end and pulls an unread one out of the next page.
So no page is asked for by offset. Each search starts again at the moment the last one ended; only an
instant that fills a whole page by itself (a bulk import) is read by record id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.values import milliseconds, read_moment
from rescore.connectors.newest_first import newest_first
from rescore.errors import CrmUnavailable, CursorStuck

Rows = list[JsonObject]
Reading = Iterator[tuple[Rows, Cursor]]


def changed_since(
    client: Client,
    path: str,
    *,
    modified: str,
    properties: Sequence[str],
    cursor: Cursor | None,
    until: datetime,
    oldest: int = 0,
) -> Reading:
    """Rows changed from the cursor (less the overlap) to `until`, and the cursor after them.

    A row may come twice. The cursor is `{"since": ms}` with the latest change seen, within a crowded instant
    also `{"after_id": id}`, and at the end of a reading `{"read": ms}`, its `until`. What was changed longer
    than the overlap before that has been seen: when nothing new follows on a thousand scores that we wrote
    ourselves, they come once more and not in every run. A first reading is newest first, back to
    `oldest` (ms), and leaves its place, of the same form with the earliest change seen, under `history`.
    """
    search = _Search(client, path, modified, properties, (oldest, milliseconds(until)))

    def back(place: Cursor) -> Reading:
        return search.through(place["since"], place.get("after_id"), BACK)

    def news(place: Cursor) -> Reading:
        newest, after_id = _start(place, client.limits.overlap)
        for rows, behind in search.through(newest, after_id, ON):
            newest = _furthest(rows, modified, newest, ON)
            yield rows, behind or {"since": newest, "read": milliseconds(until)}

    def news_from(rows: Rows) -> Cursor:
        return {"since": _furthest(rows, modified, 0, ON), "read": milliseconds(until)}

    beginning = {"since": milliseconds(until)}
    return newest_first(cursor, beginning=beginning, back=back, news_from=news_from, news=news)


@dataclass(frozen=True, slots=True)
class _Way:
    """A direction through the changes: HubSpot's word for it, and the step from an instant to the next."""

    word: str
    step: int


ON, BACK = _Way("ASCENDING", 1), _Way("DESCENDING", -1)


class _Search:
    """The two searches that together never page."""

    def __init__(
        self, client: Client, path: str, modified: str, properties: Sequence[str], between: tuple[int, int]
    ) -> None:
        self._client = client
        self._path = path
        self._modified = modified
        self._oldest, self._until = between
        self._rest = {"limit": client.limits.search_page, "properties": [*properties, modified]}

    def through(self, since: int, after_id: int | None, way: _Way) -> Reading:
        """Everything from a moment on, and the place behind each page; an empty one behind the last."""
        while True:
            if after_id is None:
                rows = self._from_moment(since, way)
                last = _furthest(rows, self._modified, since, way)
                full = len(rows) >= self._client.limits.search_page
                if full and last == since:
                    after_id = 0  # this instant alone fills a page
                    continue
                yield rows, {"since": last} if full else {}
                if not full:
                    return
                since = last
            else:
                rows = self._within_instant(since, after_id)
                if rows:
                    following = max(_record_id(row) for row in rows)
                    if following <= after_id:
                        raise CursorStuck(f"POST {self._path} answers with the same records again and again")
                    after_id = following
                    yield rows, {"since": since, "after_id": after_id}
                if len(rows) < self._client.limits.search_page:
                    since, after_id = since + way.step, None

    def _from_moment(self, since: int, way: _Way) -> Rows:
        """The changes that come first from a moment on."""
        start, end = (since, self._until) if way is ON else (self._oldest, since)
        limits = [self._at("GTE", start), self._at("LTE", end)]
        return self._rows(limits, self._modified, way)

    def _within_instant(self, moment: int, after_id: int) -> Rows:
        """Changes of one instant, by record id."""
        later = {"propertyName": "hs_object_id", "operator": "GT", "value": str(after_id)}
        return self._rows([self._at("GTE", moment), self._at("LTE", moment), later], "hs_object_id", ON)

    def _at(self, operator: str, moment: int) -> JsonObject:
        return {"propertyName": self._modified, "operator": operator, "value": str(moment)}

    def _rows(self, filters: list[JsonObject], sort: str, way: _Way) -> Rows:
        sorts = [{"propertyName": sort, "direction": way.word}]
        body = {"filterGroups": [{"filters": filters}], "sorts": sorts, **self._rest}
        rows = self._client.search(self._path, body).get("results")
        if not isinstance(rows, list):
            raise CrmUnavailable(f"POST {self._path} answered without results; the next run tries again")
        return [row for row in rows if isinstance(row, dict)]


def _start(cursor: Cursor, overlap: float) -> tuple[int, int | None]:
    if "after_id" in cursor:
        return cursor["since"], cursor["after_id"]
    margin = round(overlap * 1000)
    seen = min(cursor["since"], cursor.get("read", 0) - margin)
    return max(0, cursor["since"] - margin, seen), None


def _furthest(rows: Rows, modified: str, since: int, way: _Way) -> int:
    """The last modified date that can be read: a row without one cannot hold the stream back."""
    moments = []
    for row in rows:
        try:
            moments.append(milliseconds(read_moment(_property(row, modified))))
        except ValueError:
            continue
    if rows and not moments:
        raise CursorStuck(f"a whole page has no readable `{modified}`; check `modified` in the mapping")
    return max([since, *moments]) if way is ON else min([since, *moments])


def _property(row: JsonObject, name: str) -> Any:
    properties = row.get("properties")
    return properties.get(name) if isinstance(properties, dict) else None


def _record_id(row: JsonObject) -> int:
    text = str(row.get("id"))
    return int(text) if text.isdecimal() else 0
