"""Calls, meetings, notes, tasks and e-mails: one activity for each contact that an engagement is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.mapping import Engagements, TypeByProperty
from rescore.connectors.hubspot.reading import activity_page, happened_at, needed
from rescore.connectors.hubspot.refusals import objects
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.values import milliseconds
from rescore.connectors.hubspot.windows import rows_of
from rescore.connectors.values import decimal_number
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Page

SKEW = timedelta(minutes=5)
"""A clock may be this much ahead of ours; what is later has not happened yet."""

MOST_WAITING = 1000
IDS_A_SEARCH = 100


def engagement_pages(
    client: Client, stream: str, engagements: Engagements, cursor: Cursor | None, *, until: datetime
) -> Iterator[Page]:
    """Engagements in the order of change; as many rows a page as one call reads associations for.

    A meeting is usually logged before it happens, and nothing changes when it does. Those still to come
    are set aside as `not_yet`, wait in the cursor (`{"waiting": {id: ms}}`), and are read again when due.
    """
    waiting: dict[str, int] = dict((cursor or {}).get("waiting") or {})

    def page(rows: list[JsonObject], following: Cursor) -> Page:
        return _page(client, stream, engagements, rows, following, waiting, until)

    if due := [object_id for object_id, moment in waiting.items() if moment <= milliseconds(until)]:
        for object_id in due:
            del waiting[object_id]
        since = {name: value for name, value in (cursor or {}).items() if name != "waiting"}
        yield page(_by_id(client, engagements, due), since)
    found = changed_since(
        client,
        engagements.search,
        modified=engagements.modified,
        properties=_properties(engagements),
        cursor=cursor,
        until=until,
    )
    rows: list[JsonObject] = []
    following: Cursor | None = None
    for more, following in found:
        rows += more
        if len(rows) + client.limits.search_page > client.limits.associations:
            yield page(rows, following)
            rows, following = [], None
    if following is not None:
        yield page(rows, following)


def _by_id(client: Client, engagements: Engagements, ids: Sequence[str]) -> list[JsonObject]:
    """These engagements as they are now; deleted ones are not there any more."""
    rows: list[JsonObject] = []
    for start in range(0, len(ids), IDS_A_SEARCH):
        wanted = list(ids[start : start + IDS_A_SEARCH])
        body = {
            "filterGroups": [
                {"filters": [{"propertyName": "hs_object_id", "operator": "IN", "values": wanted}]}
            ],
            "properties": _properties(engagements),
            "limit": IDS_A_SEARCH,
        }
        rows += rows_of(client.search(engagements.search, body), "results", what="the search by id")
    return rows


def _properties(engagements: Engagements) -> Sequence[str]:
    single = [engagements.asset, engagements.value, engagements.ours]
    named = [*engagements.at, *single, *engagements.fields.values()]
    if isinstance(engagements.type, TypeByProperty):
        named.append(engagements.type.property)
    return list(dict.fromkeys(name for name in named if name))


def _page(
    client: Client,
    stream: str,
    engagements: Engagements,
    rows: list[JsonObject],
    cursor: Cursor,
    waiting: dict[str, int],
    until: datetime,
) -> Page:
    """One page; `waiting` gains what is still to come and loses what has happened or was moved."""
    contacts = _contacts(
        client, engagements.associations, sorted({str(row["id"]) for row in rows if row.get("id")})
    )

    def read(row: JsonObject) -> list[ActivityRecord]:
        object_id = needed(row.get("id"), "id_missing")
        waiting.pop(object_id, None)
        properties = row.get("properties")
        if not isinstance(properties, dict):
            raise RecordUnreadable("properties_missing")
        if engagements.ours and properties.get(engagements.ours):
            raise RecordUnreadable("made_by_rescore")
        if not contacts[object_id]:
            raise RecordUnreadable("no_contact")
        found = list(_activities(f"{stream}:{object_id}", engagements, properties, contacts[object_id]))
        if found[0].occurred_at > until + SKEW:
            if len(waiting) < MOST_WAITING:
                waiting[object_id] = milliseconds(found[0].occurred_at)
            raise RecordUnreadable("not_yet")
        return found

    page = activity_page(rows, read, record_id=lambda row: f"{stream}:{row.get('id')}", cursor=dict(cursor))
    if waiting:
        page.cursor["waiting"] = dict(waiting)
    return page


def _contacts(client: Client, path: str, ids: Sequence[str]) -> Mapping[str, list[str]]:
    """The contacts that each engagement is about."""
    contacts: dict[str, list[str]] = defaultdict(list)
    for start in range(0, len(ids), client.limits.associations):
        inputs = [{"id": object_id} for object_id in ids[start : start + client.limits.associations]]
        answer = client.post(path, {"inputs": inputs})
        for result in rows_of(answer, "results", what=f"POST {path}"):
            origin = result.get("from")
            object_id = str(origin.get("id")) if isinstance(origin, dict) else ""
            contacts[object_id] += [
                str(contact)
                for to in objects(result.get("to"))
                if (contact := to.get("toObjectId") or to.get("id"))
            ]
    return contacts


def _activities(
    name: str, engagements: Engagements, properties: Mapping[str, Any], contacts: list[str]
) -> Iterator[ActivityRecord]:
    """One activity per contact, whose id lasts as long as the engagement does."""
    kind, occurred_at = _type(engagements.type, properties), _moment(engagements.at, properties)
    value = _value(engagements.value, properties)
    texts = {
        name: engagements.translate.get(name, {}).get(str(raw), str(raw))
        for name, raw in properties.items()
        if raw not in (None, "")
    }
    for contact in dict.fromkeys(contacts):
        yield ActivityRecord(
            activity_id=f"{name}:{contact}",
            lead_id=contact,
            type=kind,
            occurred_at=occurred_at,
            asset=texts.get(engagements.asset or ""),
            channel=engagements.channel,
            value=value,
            fields={ours: texts[theirs] for ours, theirs in engagements.fields.items() if theirs in texts},
        )


def _type(rule: str | TypeByProperty, properties: Mapping[str, Any]) -> str:
    if isinstance(rule, str):
        return rule
    kind = rule.values.get(str(properties.get(rule.property)), rule.otherwise)
    if kind is None:
        raise RecordUnreadable("type_unknown")
    return kind


def _moment(names: Sequence[str], properties: Mapping[str, Any]) -> datetime:
    return happened_at(next((properties[name] for name in names if properties.get(name)), None))


def _value(name: str | None, properties: Mapping[str, Any]) -> float | None:
    raw = properties.get(name) if name else None
    if raw in (None, ""):
        return None
    try:
        return decimal_number(str(raw))
    except ValueError:
        raise RecordUnreadable("value_unreadable") from None
