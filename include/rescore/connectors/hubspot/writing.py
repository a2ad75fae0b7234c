"""Scores back to contacts: batches by record id, one result per record, and nobody is ever created."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rescore.connectors.base import FieldValue, ScoreUpdate, WriteResult
from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.errors import CrmFieldMissing, CrmUnavailable, RetryableError

MISSING_PROPERTY = "PROPERTY_DOESNT_EXIST"
ABOUT_A_RECORD = {400, 409, 413, 422}
"""Refusals of a batch that one of its records can cause; a wrong path (404) is nobody's fault in it."""
CODE_IN_MESSAGE = re.compile(r'"error"\s*:\s*"([A-Z_]+)"')
NAME_IN_MESSAGE = re.compile(r'"name"\s*:\s*"([A-Za-z0-9_]+)"')
MISSING_RECORD = {"OBJECT_NOT_FOUND"}
LATER = {"INTERNAL_ERROR", "RATE_LIMITS", "RATE_LIMIT", "CONFLICT", "TIMEOUT"}
NOT_REPORTED = "HubSpot did not say what became of this record"

Fields = dict[str, FieldValue]


def write_scores(client: Client, path: str, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
    """Write, and answer in the order of `updates`; see `Target.write`.

    Several updates of one record are one input: HubSpot refuses a whole batch with an id twice.
    """
    fields: dict[str, Fields] = {}
    for update in updates:
        fields.setdefault(update.lead_id, {}).update(update.fields)
    writing = _Writing(client, path)
    results: dict[str, WriteResult] = {}
    records = list(fields.items())
    for start in range(0, len(records), client.limits.batch):
        results |= writing.write(dict(records[start : start + client.limits.batch]))
    return [results[update.lead_id] for update in updates]


class _Writing:
    """The calls of one `write_scores`, and when the last of them may begin."""

    def __init__(self, client: Client, path: str) -> None:
        self._client = client
        self._path = path
        self._last_start = client.clock() + client.limits.write_seconds

    def write(self, fields: dict[str, Fields]) -> dict[str, WriteResult]:
        """One call; a batch refused as a whole is halved until the record to blame stands alone."""
        inputs = [
            {"id": lead_id, "objectWriteTraceId": lead_id, "properties": _texts(values)}
            for lead_id, values in fields.items()
        ]
        try:
            answer = self._client.post(self._path, {"inputs": inputs})
        except Refused as refusal:
            _stop_when_property_missing([refusal.body])
            if refusal.status not in ABOUT_A_RECORD:
                raise CrmUnavailable(f"{refusal}; check `update` in the mapping") from refusal
            if len(fields) == 1:
                return {lead_id: _refused(lead_id, refusal.body) for lead_id in fields}
            records, middle = list(fields.items()), len(fields) // 2
            return self._half(dict(records[:middle])) | self._half(dict(records[middle:]))
        return _results(answer, list(fields))

    def _half(self, fields: dict[str, Fields]) -> dict[str, WriteResult]:
        """A half whose fate is unknown must not take the other half's known results with it."""
        reason = "finding the refused record of its batch took too long"
        if self._client.clock() < self._last_start:
            try:
                return self.write(fields)
            except RetryableError as error:
                reason = str(error)
        return {lead_id: WriteResult(lead_id, "unknown", reason) for lead_id in fields}


def _results(answer: JsonObject, lead_ids: Sequence[str]) -> dict[str, WriteResult]:
    """Each record's result, found by its id or trace id: HubSpot keeps no order, every field is optional."""
    asked = set(lead_ids)
    results: dict[str, WriteResult] = {}
    for row in _objects(answer.get("results")):
        for lead_id in asked & {str(row.get("id")), str(row.get("objectWriteTraceId"))}:
            results[lead_id] = WriteResult(lead_id, "ok")
    errors = _objects(answer.get("errors"))
    _stop_when_property_missing(errors)
    for error in errors:
        for lead_id in asked & _blamed(error):
            results[lead_id] = _refused(lead_id, error)
    unknown = {lead_id: WriteResult(lead_id, "unknown", NOT_REPORTED) for lead_id in asked}
    return unknown | results


def _blamed(error: JsonObject) -> set[str]:
    """The records an error is about, wherever HubSpot put their ids."""
    named: set[str] = {str(error.get("id")), str(error.get("objectWriteTraceId"))}
    context = error.get("context")
    for key in ("ids", "id", "objectWriteTraceId"):
        value = context.get(key) if isinstance(context, dict) else None
        named.update(str(one) for one in (value if isinstance(value, list) else [value]))
    return named


def _refused(lead_id: str, error: JsonObject) -> WriteResult:
    """Only category, codes and property names: HubSpot's messages quote values of the lead."""
    category = str(error.get("category") or "no category")
    reason = f"HubSpot refused this record: {', '.join([category, *sorted(_codes(error))])}"
    if names := sorted(_property_names(error)):
        reason += f" ({', '.join(names)})"
    if category in MISSING_RECORD:
        return WriteResult(lead_id, "gone", reason)
    return WriteResult(lead_id, "transient" if category in LATER else "record", reason)


def _stop_when_property_missing(errors: Sequence[JsonObject]) -> None:
    for error in errors:
        if MISSING_PROPERTY in _codes(error):
            names = ", ".join(f"`{name}`" for name in sorted(_property_names(error))) or "of the mapping"
            raise CrmFieldMissing(
                f"HubSpot has no contact property {names}; run `rescore setup hubspot` to create it"
            )


def _codes(error: JsonObject) -> set[str]:
    """What HubSpot calls the problem: a field of its own, or hidden in JSON within the message."""
    parts = [error, *_objects(error.get("errors"))]
    named = {str(part[key]) for part in parts for key in ("code", "error") if part.get(key)}
    return named | {code for part in parts for code in CODE_IN_MESSAGE.findall(str(part.get("message")))}


def _property_names(error: JsonObject) -> set[str]:
    names: set[str] = set()
    for part in [error, *_objects(error.get("errors"))]:
        names.update(NAME_IN_MESSAGE.findall(str(part.get("message"))))
        context = part.get("context")
        value = context.get("propertyName") if isinstance(context, dict) else None
        names.update(str(name) for name in (value if isinstance(value, list) else [value]) if name)
    return names


def _objects(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(fields: Mapping[str, FieldValue]) -> dict[str, str]:
    """HubSpot takes texts only; the empty one clears a property."""
    return {name: _text(value) for name, value in fields.items()}


def _text(value: FieldValue) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
