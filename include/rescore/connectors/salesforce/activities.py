"""Tasks, events, campaign members, roles in opportunities: one activity for each record about a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rescore.connectors.base import Cursor
from rescore.connectors.newest_first import HISTORY
from rescore.connectors.salesforce.changes import Rows, Unreadable, begun, by_id, changed_since, children
from rescore.connectors.salesforce.client import Client, JsonObject
from rescore.connectors.salesforce.mapping import PREFIXES, Parent, Records, TypeByField
from rescore.connectors.salesforce.values import at_path, is_id, read_moment_or_day, text_of
from rescore.connectors.still_to_come import NAMES, StillToCome
from rescore.connectors.values import decimal_number
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Page, SetAside

SKEW = timedelta(minutes=5)
"""A clock may be this much ahead of ours; what is later has not happened yet."""

RECORDS, PARENTS = "records", "parents"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def activity_pages(
    client: Client,
    stream: str,
    mapped: Records,
    zone: ZoneInfo,
    cursor: Cursor | None,
    *,
    until: datetime,
    unreadable: Unreadable,
) -> Iterator[Page]:
    """Records in the order of change, archived ones too; then those whose parents changed.

    A meeting is usually logged before it happens, and nothing changes when it does. Those still to come
    are set aside as `not_yet`, wait in the cursor (see `StillToCome`), and are read again when due.
    """
    yield from _Reading(client, stream, mapped, zone, cursor, until, unreadable).pages()


class _Reading:
    def __init__(
        self,
        client: Client,
        stream: str,
        mapped: Records,
        zone: ZoneInfo,
        cursor: Cursor | None,
        until: datetime,
        unreadable: Unreadable,
    ) -> None:
        self._client = client
        self._stream = stream
        self._mapped = mapped
        self._zone = zone
        self._until = until
        self._unreadable = unreadable
        self._state = begun(cursor, [PARENTS] if mapped.parent else [], until)
        self._to_come = StillToCome({name: self._state.pop(name, None) for name in NAMES})
        self._flags = dict.fromkeys(mapped.only, "true") | dict.fromkeys(mapped.never, "false")
        self._where = ["IsDeleted = false", *(f"{flag} = {text}" for flag, text in self._flags.items())]

    def pages(self) -> Iterator[Page]:
        now = _milliseconds(self._until)
        if due := self._to_come.take_due(now):
            yield self._page(self._due(due))
        everything = not self._in_history() and self._to_come.take_crowded_out(now)
        if everything:
            self._state.pop(RECORDS, None)
        for rows, following in self._changed(self._mapped.object, self._mapped.read, self._where):
            self._state[RECORDS] = following
            page = self._page(rows)
            yield replace(page, again=page.rows) if everything else page
        if (parent := self._mapped.parent) is None:
            return
        for rows, following in self._changed(parent.object, (), ["IsDeleted = false"], PARENTS):
            self._state[PARENTS] = following
            yield self._page(self._children(parent, rows))

    def _in_history(self) -> bool:
        """Whether a reading of everything is under way; another one would lose its place."""
        return HISTORY in (self._state.get(RECORDS) or {})

    def _changed(
        self, entity: str, names: Sequence[str], where: Sequence[str], place: str = RECORDS
    ) -> Iterator[tuple[Rows, Cursor]]:
        return changed_since(
            self._client,
            entity,
            names,
            where=where,
            cursor=self._state.get(place),
            until=self._until,
            unreadable=self._unreadable,
        )

    def _due(self, ids: Sequence[str]) -> Rows:
        """These records as they are now; deleted ones are not there any more."""
        names = ["IsDeleted", *self._flags, *self._mapped.read]
        found = by_id(self._client, self._mapped.object, names, ids, unreadable=self._unreadable)
        return [row for row in found.values() if self._counts(row)]

    def _counts(self, row: JsonObject) -> bool:
        ticked = {flag: "true" if at_path(row, flag) else "false" for flag in self._flags}
        return not row.get("IsDeleted") and ticked == self._flags

    def _children(self, parent: Parent, rows: Rows) -> Rows:
        """The records that hang on these, as if each of them had changed."""
        return children(
            self._client,
            self._mapped.object,
            self._mapped.read,
            by=parent.by,
            parents=[str(row.get("Id")) for row in rows],
            where=self._where,
            unreadable=self._unreadable,
        )

    def _page(self, rows: Rows) -> Page:
        page = Page(cursor=dict(self._state))
        for row in rows:
            record_id = str(row.get("Id"))
            self._to_come.forget(record_id)
            try:
                activity = self._activity(row)
                if activity.occurred_at > self._until + SKEW:
                    self._to_come.remember(record_id, _milliseconds(activity.occurred_at))
                    raise RecordUnreadable("not_yet")
            except RecordUnreadable as problem:
                page.set_aside.append(
                    SetAside("activity", f"{self._stream}:{record_id}", str(problem), str(row))
                )
                continue
            page.activities.append(activity)
        page.cursor.update(self._to_come.state)
        return page

    def _activity(self, row: JsonObject) -> ActivityRecord:
        mapped = self._mapped
        if not is_id(row.get("Id")):
            raise RecordUnreadable("id_missing")
        if mapped.ours and at_path(row, mapped.ours):
            raise RecordUnreadable("made_by_rescore")
        fields = {ours: text for ours, theirs in mapped.fields.items() if (text := _text(row, theirs))}
        return ActivityRecord(
            activity_id=f"{self._stream}:{row['Id']}",
            lead_id=_person(row, mapped.who),
            type=_type(mapped.type, row),
            occurred_at=_moment(row, mapped.at, self._zone),
            asset=_text(row, mapped.asset) if mapped.asset else None,
            channel=mapped.channel,
            value=_value(row, mapped.value),
            fields=fields,
        )


def _person(row: JsonObject, who: Sequence[str]) -> str:
    for path in who:
        value = at_path(row, path)
        if is_id(value) and value[:3] in PREFIXES:
            return str(value)
    raise RecordUnreadable("no_lead")


def _type(rule: str | TypeByField, row: JsonObject) -> str:
    if isinstance(rule, str):
        return rule
    kind = rule.values.get(_text(row, rule.property) or "", rule.otherwise)
    if kind is None:
        raise RecordUnreadable("type_unknown")
    return kind


def _moment(row: JsonObject, names: Sequence[str], zone: ZoneInfo) -> datetime:
    said = next((value for name in names if (value := at_path(row, name))), None)
    if said is None:
        raise RecordUnreadable("time_missing")
    try:
        return read_moment_or_day(said, zone)
    except ValueError:
        raise RecordUnreadable("time_unreadable") from None


def _value(row: JsonObject, path: str | None) -> float | None:
    text = _text(row, path) if path else None
    try:
        return decimal_number(text) if text else None
    except ValueError:
        raise RecordUnreadable("value_unreadable") from None


def _text(row: JsonObject, path: str) -> str | None:
    value: Any = at_path(row, path)
    try:
        return text_of(value)
    except ValueError:
        raise RecordUnreadable("not_a_single_value") from None


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
