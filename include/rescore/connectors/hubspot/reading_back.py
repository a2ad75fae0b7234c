"""What contacts show now, by record id, and the history of their properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.values import read_moment
from rescore.connectors.hubspot.windows import rows_of
from rescore.connectors.readback import Edit, Shown
from rescore.errors import CrmUnavailable

MERGED = "hs_merged_object_ids"
NOT_FOUND = "OBJECT_NOT_FOUND"
WITH_HISTORY = 50
"""HubSpot takes fewer records a call when it is asked for their history."""

PROGRAMS = frozenset({"API", "INTEGRATION", "AUTOMATION_PLATFORM", "WORKFLOWS", "CALCULATED", "MIGRATION"})
PEOPLE = frozenset({"CRM_UI", "CRM_UI_BULK_ACTION", "CONTACTS_WEB", "MOBILE_IOS", "MOBILE_ANDROID", "IMPORT"})
"""What `sourceType` may say; what is in neither set leaves open who it was."""


def read_shown(
    client: Client, path: str, lead_ids: Sequence[str], properties: Sequence[str]
) -> dict[str, Shown | None]:
    """See `ReadBack.read`.

    Asked for a contact that was merged away, HubSpot may not find it, or answer with the one that is left:
    either way that contact is no more.
    """
    shown: dict[str, Shown | None] = {}
    for batch in _batches(lead_ids, client.limits.batch):
        answer = _ask(client, path, batch, {"properties": [*properties, MERGED]})
        asked = set(batch)
        for error in _objects(answer.get("errors")):
            if error.get("category") == NOT_FOUND:
                shown |= dict.fromkeys(asked & _named(error))
        for row in _objects(answer.get("results")):
            values = row.get("properties")
            if not isinstance(values, dict):
                continue
            shown |= dict.fromkeys(asked.intersection(merged_into(values)))
            if row.get("id") in asked:
                shown[row["id"]] = {name: _text(values.get(name)) for name in properties}
    return shown


def read_edits(
    client: Client, path: str, lead_ids: Sequence[str], properties: Sequence[str]
) -> dict[tuple[str, str], list[Edit]]:
    """See `ReadBack.edits`."""
    edits: dict[tuple[str, str], list[Edit]] = {}
    for batch in _batches(lead_ids, min(WITH_HISTORY, client.limits.batch)):
        answer = _ask(client, path, batch, {"properties": [], "propertiesWithHistory": list(properties)})
        asked = set(batch)
        for row in _objects(answer.get("results")):
            history = row.get("propertiesWithHistory")
            if row.get("id") not in asked or not isinstance(history, dict):
                continue
            for name in properties:
                found = [edit for entry in _objects(history.get(name)) if (edit := _edit(entry))]
                edits[row["id"], name] = sorted(found, key=lambda edit: edit.at, reverse=True)
    return edits


def merged_into(properties: JsonObject) -> tuple[str, ...]:
    """The records that went into this one, which HubSpot lists as `1;2;3`."""
    return tuple(part for part in str(properties.get(MERGED) or "").split(";") if part.isdecimal())


def _ask(client: Client, path: str, lead_ids: Sequence[str], what: JsonObject) -> JsonObject:
    try:
        answer = client.post(path, {"inputs": [{"id": lead_id} for lead_id in lead_ids]} | what)
    except Refused as refusal:
        raise CrmUnavailable(f"{refusal}; check `read` in the mapping") from refusal
    rows_of(answer, "results", what=f"POST {path}")
    return answer


def _batches(lead_ids: Sequence[str], size: int) -> Iterator[list[str]]:
    """HubSpot refuses a whole batch with an id twice."""
    distinct = list(dict.fromkeys(lead_ids))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def _edit(entry: JsonObject) -> Edit | None:
    """One entry of a history; an entry without a time dates nothing."""
    try:
        at = read_moment(entry.get("timestamp"))
    except ValueError:
        return None
    source, user = str(entry.get("sourceType") or ""), entry.get("updatedByUserId")
    by_person = True if source in PEOPLE else False if source in PROGRAMS else None
    by = f"HubSpot user {user}" if isinstance(user, int | str) and user else source or None
    return Edit(_text(entry.get("value")), at, by, by_person)


def _named(error: JsonObject) -> set[str]:
    context = error.get("context")
    ids = context.get("ids") if isinstance(context, dict) else None
    return {str(one) for one in ids} if isinstance(ids, list) else set()


def _text(value: Any) -> str | None:
    """HubSpot keeps texts; an empty one is no value."""
    return None if value is None or value == "" else str(value)


def _objects(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
