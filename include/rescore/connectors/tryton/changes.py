"""Every record of a model: first those that there are, then what was made or changed, in that order.

`write_date` is empty until a record is first changed, so there are two ways through a model: by `create_date`
and by `write_date`. Each goes on behind a (moment, id), never by offset into a list that changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.newest_first import newest_first
from rescore.connectors.tryton.client import Client, Row
from rescore.connectors.tryton.values import moment
from rescore.errors import CrmUnavailable, CursorStuck

Rows = list[Row]
Reading = Iterator[tuple[Rows, Cursor]]
MADE, CHANGED = "create_date", "write_date"
WAYS = (MADE, CHANGED)
Place = tuple[datetime, int]
"""A moment, and the id of the last row of that moment."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LAST_ID = 2**31 - 1


def changed_since(
    client: Client,
    model: str,
    domain: Sequence[Any],
    names: Sequence[str],
    cursor: Cursor | None,
    *,
    until: datetime,
) -> Reading:
    """Rows from the cursor (less the overlap) to `until`, and the cursor after them; the last may be empty.

    A row may come twice. The cursor is `{"create_date": [moment, id], "write_date": [moment, id]}`, at
    the end also `{"read": until}`: what was older than the overlap by then has been seen for good. A first
    reading sees every record by `create_date`, newest first, as it is now; the other way begins there. Its
    place is under `history`, `{"create_date": [moment, id]}`.
    """
    overlap = timedelta(seconds=client.limits.overlap)
    records = _Records(client, model, domain, names)

    def back(place: Cursor) -> Reading:
        for rows, behind, more in records.through(MADE, _reached(place[MADE]), BACK):
            yield rows, {MADE: _written(behind)} if more else {}

    def news(place: Cursor) -> Reading:
        reached = {way: _reached(place.get(way)) for way in WAYS}
        settled = datetime.fromisoformat(place["read"]) - overlap if "read" in place else BEGINNING
        for way in WAYS:
            start = _start(reached[way], settled, overlap)
            for rows, behind, more in records.through(way, start, ON, until):
                reached[way] = max(reached[way], behind)
                following: Cursor = {name: _written(place) for name, place in reached.items()}
                if way == WAYS[-1] and not more:
                    following["read"] = until.isoformat()
                yield rows, following

    def news_from(rows: Rows) -> Cursor:
        made = {MADE: _written((rows[0][MADE], rows[0]["id"]))} if rows else {}
        return {**made, CHANGED: _written((until - overlap, 0)), "read": until.isoformat()}

    beginning = {MADE: _written((until, LAST_ID))}
    return newest_first(cursor, beginning=beginning, back=back, news_from=news_from, news=news)


def rows_of(client: Client, model: str, method: str, *params: Any, context: Row | None = None) -> Rows:
    """The rows that a method of a model answers with; raises as `Client.call`."""
    rows = client.call(f"model.{model}.{method}", *params, context=context)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise CrmUnavailable(f"model.{model}.{method} answered without records; the next run tries again")
    return rows


@dataclass(frozen=True, slots=True)
class _Direction:
    """Through the records: how those behind a place compare with it, and Tryton's word for their order."""

    behind: str
    word: str


ON, BACK = _Direction(">", "ASC"), _Direction("<", "DESC")


@dataclass(frozen=True, slots=True)
class _Records:
    """Some records of a model, and what to read of them."""

    client: Client
    model: str
    domain: Sequence[Any]
    names: Sequence[str]

    def through(
        self, way: str, place: Place, direction: _Direction, until: datetime | None = None
    ) -> Iterator[tuple[Rows, Place, bool]]:
        """Everything behind a place; after each page the place behind it, and whether there may be more."""
        more = True
        while more:
            rows = self._page(way, place, direction, until)
            more = len(rows) == self.client.limits.page
            if rows:
                following = (rows[-1][way], rows[-1]["id"])
                if following == place or (following < place) is (direction is ON):
                    raise CursorStuck(f"{self.model} answers with the same records again and again")
                place = following
            yield rows, place, more

    def _page(self, way: str, place: Place, direction: _Direction, until: datetime | None) -> Rows:
        (since, after), sign = place, direction.behind
        behind = ["OR", [way, sign, moment(since)], [[way, "=", moment(since)], ["id", sign, after]]]
        wanted = [*self.domain, behind, *([[way, "<=", moment(until)]] if until else [])]
        order = [[way, direction.word], ["id", direction.word]]
        asked = list(dict.fromkeys([*self.names, *WAYS]))
        rows = rows_of(
            self.client, self.model, "search_read", wanted, 0, self.client.limits.page, order, asked
        )
        if not all(isinstance(row.get(way), datetime) for row in rows):
            raise CrmUnavailable(f"a record of {self.model} has no {way}; the next run tries again")
        return rows


def _start(reached: Place, settled: datetime, overlap: timedelta) -> Place:
    """Behind the last row where all up to it has been seen for good, else some time before."""
    if settled >= reached[0]:
        return reached
    return max(BEGINNING, settled, reached[0] - overlap), 0


def _reached(place: Any) -> Place:
    return (datetime.fromisoformat(place[0]), int(place[1])) if place else (BEGINNING, 0)


def _written(place: Place) -> list[Any]:
    moment_, id_ = place
    return [moment_.isoformat(), id_]
