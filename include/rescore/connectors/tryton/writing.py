"""Scores back to leads: batches by id that Tryton takes as a whole or not at all; nobody is ever created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rescore.connectors.base import FieldValue, ScoreUpdate, WriteResult
from rescore.connectors.tryton.client import Client, Fault
from rescore.connectors.tryton.leads import LEAD
from rescore.connectors.tryton.refusals import cause, record_id, shut_fields, there
from rescore.connectors.tryton.values import written
from rescore.errors import RetryableError
from rescore.outcome import Kind

GONE = "Tryton has no such lead, or this user may not see it"
REFUSED = "Tryton does not take these values for this lead; saving it by hand there says why"
FAILED = "Tryton failed in writing this lead; its own log says why"

Fields = dict[str, FieldValue]


def write_scores(client: Client, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
    """Write, and answer in the order of `updates`; see `Target.write`.

    Several updates of one record become one, or its two values would race in one transaction.
    """
    fields: dict[str, Fields] = {}
    for update in updates:
        fields.setdefault(update.lead_id, {}).update(update.fields)
    results = {lead: WriteResult(lead, "gone", GONE) for lead in fields if not record_id(lead)}
    writing, records = _Writing(client), [(lead, of) for lead, of in fields.items() if lead not in results]
    for start in range(0, len(records), client.limits.batch):
        results |= writing.write(dict(records[start : start + client.limits.batch]))
    return [results[update.lead_id] for update in updates]


class _Writing:
    """The calls of one `write_scores`, and when the last of them may begin."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last_start = client.clock() + client.limits.write_seconds

    def write(self, fields: dict[str, Fields]) -> dict[str, WriteResult]:
        """One call where nothing is wrong; else the reason is asked for once, before records are blamed."""
        try:
            self._send(fields)
        except Fault as fault:
            names = {name for values in fields.values() for name in values}
            if error := cause(self._client, model=LEAD, names=names, writing=True):
                raise error from fault
            present = there(self._client, fields)
            gone = {lead: WriteResult(lead, "gone", GONE) for lead in fields if lead not in present}
            left = {lead: values for lead, values in fields.items() if lead in present}
            if gone:
                return gone | (self._again(left) if left else {})
            results = self._halves(left, fault)
            everybody = len(left) > 1 and {result.kind for result in results.values()} == {"record"}
            if everybody and (shut := shut_fields(self._client, names)):
                raise shut from fault
            return results
        return {lead: WriteResult(lead, "ok") for lead in fields}

    def _send(self, fields: dict[str, Fields]) -> None:
        pairs: list[Any] = []
        for lead, values in fields.items():
            pairs += [[int(lead)], _values(values)]
        self._client.call(f"model.{LEAD}.write", *pairs)

    def _halves(self, fields: dict[str, Fields], fault: Fault) -> dict[str, WriteResult]:
        """A batch that is refused is halved until the record to blame stands alone."""
        if len(fields) == 1:
            kind: Kind = "record" if fault.refused else "transient"
            return {lead: WriteResult(lead, kind, REFUSED if fault.refused else FAILED) for lead in fields}
        records, middle = list(fields.items()), len(fields) // 2
        return self._again(dict(records[:middle])) | self._again(dict(records[middle:]))

    def _again(self, fields: dict[str, Fields]) -> dict[str, WriteResult]:
        """A part whose fate is unknown must not take the other parts' known results with it."""
        reason = "finding the refused record of its batch took too long"
        if self._client.clock() < self._last_start:
            try:
                self._send(fields)
            except Fault as fault:
                return self._halves(fields, fault)
            except RetryableError as error:
                reason = str(error)
            else:
                return {lead: WriteResult(lead, "ok") for lead in fields}
        return {lead: WriteResult(lead, "unknown", reason) for lead in fields}


def _values(fields: Mapping[str, FieldValue]) -> dict[str, Any]:
    return {name: written(value) for name, value in fields.items()}
