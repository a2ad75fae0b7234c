"""Every record of a model that was made or changed since a moment, in that order.

`write_date` is empty until a record is first changed, so there are two ways through a model: by `create_date`
and by `write_date`. Each goes on behind a (moment, id), never by offset into a list that changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.tryton.client import Client, Row
from rescore.connectors.tryton.values import moment
from rescore.errors import CrmUnavailable, CursorStuck

Rows = list[Row]
WAYS = ("create_date", "write_date")
Place = tuple[datetime, int]
"""A moment, and the id of the last row of that moment."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def changed_since(
    client: Client,
    model: str,
    domain: Sequence[Any],
    names: Sequence[str],
    cursor: Cursor | None,
    *,
    until: datetime,
) -> Iterator[tuple[Rows, Cursor]]:
    """Rows from the cursor (less the overlap) to `until`, and the cursor after them; the last may be empty.

    A row may come twice. The cursor is `{"create_date": [moment, id], "write_date": [moment, id]}`, at
    the end also `{"read": until}`: what was older than the overlap by then has been seen for good. Whoever
    reads for the first time sees every record by `create_date`, as it is now; the other way begins there.
    """
    overlap = timedelta(seconds=client.limits.overlap)
    start: Cursor = cursor or {"write_date": [(until - overlap).isoformat(), 0]}
    reached = {way: _reached(start.get(way)) for way in WAYS}
    settled = datetime.fromisoformat(start["read"]) - overlap if "read" in start else BEGINNING
    for way in WAYS:
        since, after = _start(reached[way], settled, overlap)
        while True:
            rows = _page(client, model, domain, [*names, *WAYS], way, since, after, until)
            if rows:
                following = (rows[-1][way], rows[-1]["id"])
                if following <= (since, after):
                    raise CursorStuck(f"{model} answers with the same records again and again")
                since, after = following
                reached[way] = max(reached[way], following)
            resume: Cursor = {name: [at.isoformat(), id_] for name, (at, id_) in reached.items()}
            full = len(rows) == client.limits.page
            if way == WAYS[-1] and not full:
                resume["read"] = until.isoformat()
            yield rows, resume
            if not full:
                break


def rows_of(client: Client, model: str, method: str, *params: Any, context: Row | None = None) -> Rows:
    """The rows that a method of a model answers with; raises as `Client.call`."""
    rows = client.call(f"model.{model}.{method}", *params, context=context)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise CrmUnavailable(f"model.{model}.{method} answered without records; the next run tries again")
    return rows


def _page(
    client: Client,
    model: str,
    domain: Sequence[Any],
    names: Sequence[str],
    way: str,
    since: datetime,
    after: int,
    until: datetime,
) -> Rows:
    behind = ["OR", [way, ">", moment(since)], [[way, "=", moment(since)], ["id", ">", after]]]
    wanted = [*domain, behind, [way, "<=", moment(until)]]
    order = [[way, "ASC"], ["id", "ASC"]]
    rows = rows_of(
        client, model, "search_read", wanted, 0, client.limits.page, order, list(dict.fromkeys(names))
    )
    if not all(isinstance(row.get(way), datetime) for row in rows):
        raise CrmUnavailable(f"a record of {model} has no {way}; the next run tries again")
    return rows


def _start(reached: Place, settled: datetime, overlap: timedelta) -> Place:
    """Behind the last row where all up to it has been seen for good, else some time before."""
    if settled >= reached[0]:
        return reached
    return max(BEGINNING, settled, reached[0] - overlap), 0


def _reached(place: Any) -> Place:
    return (datetime.fromisoformat(place[0]), int(place[1])) if place else (BEGINNING, 0)
