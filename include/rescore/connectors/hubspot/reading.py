"""Raw rows into a page of activities: what cannot be read is set aside with a short reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import JsonObject
from rescore.connectors.hubspot.values import read_moment
from rescore.connectors.urls import page_address
from rescore.connectors.values import decimal_number
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord, Page, SetAside, Unclaimed


def activity_page(
    rows: Iterable[JsonObject],
    read: Callable[[JsonObject], Iterable[ActivityRecord | Unclaimed]],
    *,
    record_id: Callable[[JsonObject], str],
    cursor: Cursor,
) -> Page:
    """A page of what `read` makes of each row.

    Args:
        rows: As the CRM sent them.
        read: Raises RecordUnreadable, whose text is the reason's short code.
        record_id: The name under which a row that cannot be read is kept.
        cursor: Where to resume after the page.
    """
    page = Page(cursor=cursor)
    for row in rows:
        try:
            found = list(read(row))
        except RecordUnreadable as problem:
            page.set_aside.append(SetAside("activity", record_id(row), str(problem), str(row)))
            continue
        page.activities.extend(one for one in found if isinstance(one, ActivityRecord))
        page.unclaimed.extend(one for one in found if isinstance(one, Unclaimed))
    return page


def of_contact(activity: ActivityRecord, address: str) -> ActivityRecord | Unclaimed:
    """The activity, or one that waits for a contact with this address when HubSpot has none yet."""
    return activity if activity.lead_id else Unclaimed(address, activity)


def needed(value: Any, reason: str) -> str:
    """The value as a text.

    Raises:
        RecordUnreadable: There is none, or it is a structure; `reason` says which one was missed.
    """
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return str(value)
    raise RecordUnreadable(reason)


def happened_at(value: Any) -> datetime:
    """The moment of an activity.

    Raises:
        RecordUnreadable: `time_missing` or `time_unreadable`.
    """
    if value in (None, ""):
        raise RecordUnreadable("time_missing")
    try:
        return read_moment(value)
    except ValueError:
        raise RecordUnreadable("time_unreadable") from None


def amount(value: Any) -> float | None:
    """The number that an activity is worth to the CRM, such as a deal's amount; None without one.

    Raises:
        RecordUnreadable: `value_unreadable`.
    """
    if value in (None, ""):
        return None
    try:
        return decimal_number(str(value))
    except ValueError:
        raise RecordUnreadable("value_unreadable") from None


def translated(properties: Mapping[str, Any], words: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Those of the properties that hold anything, as texts; `words` replaces values by property."""
    return {
        name: words.get(name, {}).get(str(raw), str(raw))
        for name, raw in properties.items()
        if raw not in (None, "")
    }


def path_and_fields(url: Any, languages: Collection[str]) -> tuple[str | None, dict[str, str]]:
    """A page's normalised path, and `host` and `query` where there are any; (None, {}) without address.

    Raises:
        RecordUnreadable: `url_unreadable`.
    """
    if not url:
        return None, {}
    try:
        address = page_address(str(url), languages)
    except ValueError:
        raise RecordUnreadable("url_unreadable") from None
    return address.path, texts({"host": address.host, "query": address.query})


def texts(fields: dict[str, Any]) -> dict[str, str]:
    """Those of the fields that hold anything, as texts."""
    return {name: str(value) for name, value in fields.items() if value not in (None, "")}
