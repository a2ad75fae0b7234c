"""Objects that are about contacts: as they change, when they are due, and when they are tied late.

An association moves no modified date that one could search by. So what is about nobody yet is looked at
again in every run for a while, and everything comes again in turn (`sweep`), with whom it is about then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import Tied
from rescore.connectors.hubspot.reading import needed
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.sweep import Sweep
from rescore.connectors.hubspot.ties import contacts_of
from rescore.connectors.hubspot.values import milliseconds, read_moment
from rescore.connectors.hubspot.windows import Rows, rows_of
from rescore.connectors.newest_first import HISTORY
from rescore.connectors.still_to_come import NAMES, StillToCome
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Page, SetAside

SKEW = timedelta(minutes=5)
"""A clock may be this much ahead of ours; what is later has not happened yet."""

NOBODY = "no_contact"
MOST_REMEMBERED = 1000
UNTIED_FOR = 3 * 86_400_000
IDS_A_SEARCH = 100

Read = Callable[[str, Mapping[str, Any], Sequence[str]], list[ActivityRecord]]
"""The activities of one object, from its name, its properties and its contacts, of whom there is one or more.

Raises:
    RecordUnreadable: It has none; the text is the reason.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What to read of each object, and what to make of it."""

    properties: Sequence[str]
    read: Read


def tied_pages(
    client: Client,
    stream: str,
    tied: Tied,
    kind: Kind,
    cursor: Cursor | None,
    *,
    until: datetime,
    oldest: int,
) -> Iterator[Page]:
    """Objects as they change, at first since `oldest` (ms).

    A page has as many rows as one call reads associations for.

    What has not happened yet (a meeting is usually logged before, and nothing changes when it does) is set
    aside as `not_yet` and read again when it is due. What is about nobody is set aside as `no_contact`, and
    its associations are read in every run until three days after its change. The cursor remembers the
    former as `StillToCome` says, the latter under `untied`.
    """
    return _Reading(client, stream, tied, kind, cursor or {}, until, oldest).pages()


class _Reading:
    """One reading of a stream: what was given, and what to remember for the next."""

    def __init__(
        self,
        client: Client,
        stream: str,
        tied: Tied,
        kind: Kind,
        cursor: Cursor,
        until: datetime,
        oldest: int,
    ) -> None:
        self._client, self._stream, self._tied, self._kind = client, stream, tied, kind
        self._until, self._now, self._oldest = until, milliseconds(until), oldest
        self._to_come = StillToCome(cursor)
        self._untied: dict[str, int] = dict(cursor.get("untied") or {})
        self._sweep = Sweep(
            client,
            tied.listing,
            properties=[*kind.properties, tied.modified],
            state=cursor.get("sweep"),
            now=self._now,
        )
        ours = (*NAMES, "untied", "sweep")
        self._since = {name: value for name, value in cursor.items() if name not in ours}

    def pages(self) -> Iterator[Page]:
        """See `tied_pages`."""
        if due := self._to_come.take_due(self._now):
            yield self._page(self._by_id(due))
        if late := self._tied_meanwhile():
            yield self._page(self._by_id(late), again=True)
        # where a reading of everything is under way, another one would lose its place
        if HISTORY not in self._since and self._to_come.take_crowded_out(self._now):
            self._since = {}
            yield from (replace(page, again=page.rows) for page in self._changed())
        else:
            yield from self._changed()
        yield from self._in_turn()

    def _changed(self) -> Iterator[Page]:
        rows: Rows = []
        found = changed_since(
            self._client,
            self._tied.search,
            modified=self._tied.modified,
            properties=self._kind.properties,
            cursor=self._since,
            until=self._until,
            oldest=self._oldest,
        )
        read_to = self._since
        for more, read_to in found:
            rows += more
            if len(rows) + self._client.limits.search_page > self._client.limits.associations:
                self._since = read_to
                yield self._page(rows)
                rows = []
        self._since = read_to
        yield self._page(rows)

    def _tied_meanwhile(self) -> list[str]:
        """Those of the untied objects that are about somebody now; the oldest are let go."""
        self._untied = {one: at for one, at in self._untied.items() if self._now - at < UNTIED_FOR}
        found = contacts_of(self._client, self._tied.associations, list(self._untied))
        return [one for one in self._untied if one in found]

    def _in_turn(self) -> Iterator[Page]:
        rows: Rows = []
        for more in self._sweep.rows():
            rows += more
            if len(rows) + self._client.limits.batch > self._client.limits.associations:
                yield self._page(rows, again=True)
                rows = []
        if rows:
            yield self._page(rows, again=True)

    def _by_id(self, ids: Sequence[str]) -> Rows:
        """These objects as they are now; deleted ones are not there any more."""
        rows: Rows = []
        for start in range(0, len(ids), IDS_A_SEARCH):
            wanted = list(ids[start : start + IDS_A_SEARCH])
            body = {
                "filterGroups": [
                    {"filters": [{"propertyName": "hs_object_id", "operator": "IN", "values": wanted}]}
                ],
                "properties": [*self._kind.properties, self._tied.modified],
                "limit": IDS_A_SEARCH,
            }
            rows += rows_of(self._client.search(self._tied.search, body), "results", what="the search by id")
        return rows

    def _changed_at(self, properties: Mapping[str, Any]) -> int:
        try:
            return milliseconds(read_moment(properties.get(self._tied.modified)))
        except ValueError:
            return 0

    def _page(self, rows: Sequence[JsonObject], *, again: bool = False) -> Page:
        """One page and what to remember; what is read `again` was set aside when it changed, if it was."""
        ids = sorted({str(row["id"]) for row in rows if row.get("id")})
        contacts = contacts_of(self._client, self._tied.associations, ids)
        page = Page()
        for row in rows:
            try:
                page.activities.extend(self._read(row, contacts))
            except RecordUnreadable as problem:
                if not again:
                    named = f"{self._stream}:{row.get('id')}"
                    page.set_aside.append(SetAside("activity", named, str(problem), str(row)))
        page.cursor.update(self._since)
        remembered = {**self._to_come.state, "untied": self._untied, "sweep": self._sweep.state}
        page.cursor.update({name: copy(state) for name, state in remembered.items() if state})
        return replace(page, again=page.rows) if again else page

    def _read(self, row: JsonObject, contacts: Mapping[str, list[str]]) -> list[ActivityRecord]:
        object_id = needed(row.get("id"), "id_missing")
        self._to_come.forget(object_id)
        self._untied.pop(object_id, None)
        properties = row.get("properties")
        if not isinstance(properties, dict):
            raise RecordUnreadable("properties_missing")
        found = self._kind.read(f"{self._stream}:{object_id}", properties, contacts.get(object_id, []))
        if not contacts.get(object_id):
            changed = self._changed_at(properties)
            if self._now - changed < UNTIED_FOR and len(self._untied) < MOST_REMEMBERED:
                self._untied[object_id] = changed
            raise RecordUnreadable(NOBODY)
        happened = [one for one in found if one.occurred_at <= self._until + SKEW]
        if len(happened) < len(found):
            later = min(one.occurred_at for one in found if one.occurred_at > self._until + SKEW)
            self._to_come.remember(object_id, milliseconds(later))
            if not happened:
                raise RecordUnreadable("not_yet")
        return happened
