"""Every record of an object: first those that there are, then what changed; and records by their ids.

A query is a snapshot that is read page by page. Whoever reads on later starts behind the last record of the
last page: at its `SystemModstamp`, and among those of the same instant, of which a mass update makes
thousands, at its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rescore.connectors.base import Cursor
from rescore.connectors.newest_first import newest_first
from rescore.connectors.salesforce.client import Client, JsonObject, Refused
from rescore.connectors.salesforce.values import is_id, literal, read_moment
from rescore.errors import CrmUnavailable, CursorStuck, RescoreError

Rows = list[JsonObject]
STAMP = "SystemModstamp"
LOST_PLACE = "INVALID_QUERY_LOCATOR"
Unreadable = Callable[[Refused, str, Sequence[str]], RescoreError]
"""The error that a refused query of an object and its fields becomes."""


def changed_since(
    client: Client,
    entity: str,
    names: Sequence[str],
    *,
    where: Sequence[str] = (),
    cursor: Cursor | None,
    until: datetime,
    unreadable: Unreadable,
) -> Iterator[tuple[Rows, Cursor]]:
    """Rows changed from the cursor (less the overlap) to `until`, and the cursor behind; deleted ones too.

    A row may come twice. The cursor is `{"since": moment}`: all until then was read. In the middle of a
    reading it is `{"since": moment, "after_id": id, "until": moment}`. A first reading is newest first, and
    leaves its place, of the same form, under `history`.
    """
    overlap = timedelta(seconds=client.limits.overlap)
    asked = ["Id", STAMP, *names]
    end = {"until": literal(until)}

    def read(soql: _Soql, place: Cursor, last: Cursor) -> Iterator[tuple[Rows, Cursor]]:
        try:
            for rows, behind in _snapshot(client, soql, place):
                yield rows, behind | soql.end if behind else last
        except Refused as refusal:
            raise unreadable(refusal, entity, asked) from refusal

    def back(place: Cursor) -> Iterator[tuple[Rows, Cursor]]:
        return read(_Soql(entity, asked, where, {"until": place["until"]}, BACK), place, {})

    def news(place: Cursor) -> Iterator[tuple[Rows, Cursor]]:
        return read(_Soql(entity, asked, where, end, ON), _start(place, overlap), {"since": literal(until)})

    return newest_first(
        cursor, beginning=end, back=back, news_from=lambda _: {"since": literal(until)}, news=news
    )


def by_id(
    client: Client, entity: str, names: Sequence[str], ids: Sequence[str], *, unreadable: Unreadable
) -> dict[str, JsonObject]:
    """The records of these ids that there are, deleted ones too."""
    rows = children(client, entity, names, by="Id", parents=ids, unreadable=unreadable)
    return {str(row.get("Id")): row for row in rows}


def begun(cursor: Cursor | None, places: Sequence[str], until: datetime) -> Cursor:
    """The cursor of a stream in several parts; on its first reading the `places` count as read up to now.

    They are of what the first part's records refer to, and say only which of those to read again.
    """
    return {place: {"since": literal(until)} for place in places} | dict(cursor or {})


def children(
    client: Client,
    entity: str,
    names: Sequence[str],
    *,
    by: str,
    parents: Sequence[str],
    where: Sequence[str] = (),
    unreadable: Unreadable,
) -> Rows:
    """The records whose field `by` holds one of these ids; deleted ones only when `where` lets them in."""
    asked = list(dict.fromkeys(["Id", *names]))
    rows: Rows = []
    ids = [one for one in dict.fromkeys(parents) if is_id(one)]
    for start in range(0, len(ids), client.limits.ids):
        listed = ", ".join(f"'{one}'" for one in ids[start : start + client.limits.ids])
        conditions = " AND ".join([f"{by} IN ({listed})", *where])
        soql = f"SELECT {', '.join(asked)} FROM {entity} WHERE {conditions} ORDER BY Id"  # noqa: S608
        try:
            rows += every(client, soql, entity)
        except Refused as refusal:
            raise unreadable(refusal, entity, asked) from refusal
    return rows


def every(client: Client, soql: str, entity: str, *, deleted: bool = True) -> Iterator[JsonObject]:
    """All rows of a query whose result is small."""
    answer = client.query(soql, deleted=deleted)
    yield from records(answer, entity)
    while answer.get("done") is False:
        answer = client.more(str(answer.get("nextRecordsUrl")))
        yield from records(answer, entity)


def records(answer: JsonObject, entity: str) -> Rows:
    """The rows of one page."""
    rows = answer.get("records")
    if not isinstance(rows, list):
        raise CrmUnavailable(f"a query of `{entity}` was answered without records; the next run tries again")
    return [row for row in rows if isinstance(row, dict)]


@dataclass(frozen=True, slots=True)
class _Way:
    """A direction through the changes: how those behind a place compare with it, and their order."""

    behind: str
    order: str


ON, BACK = _Way(">", ""), _Way("<", " DESC")


class _Soql:
    """The query from any place."""

    def __init__(
        self, entity: str, asked: Sequence[str], where: Sequence[str], end: Cursor, way: _Way
    ) -> None:
        self.entity, self.end, self._way = entity, end, way
        self._select = f"SELECT {', '.join(dict.fromkeys(asked))} FROM {entity}"  # noqa: S608 - checked names
        self._where = [*where, f"{STAMP} <= {end['until']}"]

    def since(self, place: Cursor) -> str:
        """Everything behind a place, in order."""
        conditions = [*self._where, *self._behind(place)]
        down = self._way.order
        return f"{self._select} WHERE {' AND '.join(conditions)} ORDER BY {STAMP}{down}, Id{down}"

    def _behind(self, place: Cursor) -> list[str]:
        since, after_id, sign = place.get("since"), place.get("after_id"), self._way.behind
        if since is None:
            return []
        if after_id is None:
            return [f"{STAMP} >= {since}"]
        return [f"({STAMP} {sign} {since} OR ({STAMP} = {since} AND Id {sign} '{after_id}'))"]


def _snapshot(client: Client, soql: _Soql, place: Cursor) -> Iterator[tuple[Rows, Cursor]]:
    """Everything behind a place, and the place behind each page; an empty one behind the last."""
    answer = client.query(soql.since(place), deleted=True)
    seen: set[str] = set()
    while True:
        rows = records(answer, soql.entity)
        if answer.get("done") is not False:
            yield rows, {}
            return
        place = _place(rows, soql.entity)
        yield rows, place
        following = answer.get("nextRecordsUrl")
        if not isinstance(following, str) or following in seen:
            raise CursorStuck(f"the query of `{soql.entity}` leads back to a page already read")
        seen.add(following)
        try:
            answer = client.more(following)
        except Refused as refusal:
            if LOST_PLACE not in refusal.codes:
                raise
            answer = client.query(soql.since(place), deleted=True)  # it keeps places for a while only


def _start(cursor: Cursor, overlap: timedelta) -> Cursor:
    """Rows of the last minutes before a query may not have been there yet: those are read again."""
    since = read_moment(cursor["since"])
    if "after_id" not in cursor:
        return {"since": literal(since - overlap)}
    settled = read_moment(cursor["until"]) - overlap
    if since >= settled or not is_id(cursor["after_id"]):
        return {"since": literal(min(since, settled))}
    return {"since": literal(since), "after_id": cursor["after_id"]}


def _place(rows: Rows, entity: str) -> Cursor:
    """The last row of a page that is not the last: all before it is read."""
    last = rows[-1] if rows else {}
    try:
        if is_id(last.get("Id")):
            return {"since": literal(read_moment(last.get(STAMP))), "after_id": last["Id"]}
    except ValueError:
        pass
    raise CursorStuck(f"a page of `{entity}` ends with a record without id and `{STAMP}`; nobody can read on")
