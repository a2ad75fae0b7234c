"""Scores back to contacts: batches by record id, one result per record, and nobody is ever created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rescore.connectors.base import FieldValue, ScoreUpdate, WriteResult
from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.refusals import (
    ABOUT_A_RECORD,
    NOT_FOUND,
    category,
    objects,
    stop_when_property_missing,
    why,
)
from rescore.errors import CrmUnavailable, RetryableError

LATER = {"INTERNAL_ERROR", "RATE_LIMITS", "RATE_LIMIT", "CONFLICT", "TIMEOUT"}
MERGED_AWAY = "HubSpot wrote this to another record, into which this one was merged"
OVERWRITTEN = "HubSpot wrote to this record what was meant for one that was merged into it"
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
            answer = self._client.write(self._path, {"inputs": inputs})
        except Refused as refusal:
            stop_when_property_missing([refusal.body])
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
    overwritten: set[str] = set()
    for row in objects(answer.get("results")):
        record, trace = str(row.get("id") or ""), str(row.get("objectWriteTraceId") or "")
        if record and trace in asked - {record}:
            results[trace] = WriteResult(trace, "gone", MERGED_AWAY)
            overwritten.add(record)
        else:
            results |= {lead_id: WriteResult(lead_id, "ok") for lead_id in asked & {record or trace}}
    results |= {lead_id: WriteResult(lead_id, "unknown", OVERWRITTEN) for lead_id in asked & overwritten}
    errors = objects(answer.get("errors"))
    stop_when_property_missing(errors)
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
    reason = why(error, "this record")
    if category(error) == NOT_FOUND:
        return WriteResult(lead_id, "gone", reason)
    return WriteResult(lead_id, "transient" if category(error) in LATER else "record", reason)


def _texts(fields: Mapping[str, FieldValue]) -> dict[str, str]:
    """HubSpot takes texts only; the empty one clears a property."""
    return {name: _text(value) for name, value in fields.items()}


def _text(value: FieldValue) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
