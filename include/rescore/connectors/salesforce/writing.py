"""Scores back to leads and contacts: by record id, one result per record, and nobody is ever created."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from rescore.connectors.base import FieldValue, ScoreUpdate, WriteResult
from rescore.connectors.salesforce.bulk import update_in_bulk
from rescore.connectors.salesforce.changes import by_id
from rescore.connectors.salesforce.client import Client, Refused
from rescore.connectors.salesforce.mapping import PREFIXES, PersonKind
from rescore.connectors.salesforce.people import CONVERSION, is_converted
from rescore.connectors.salesforce.refusals import (
    CONVERTED,
    of_record,
    stop_when_field_missing,
    unreadable,
)
from rescore.connectors.salesforce.values import is_id, literal
from rescore.connectors.salesforce.words import Problem, problems
from rescore.errors import CrmUnavailable, RescoreError
from rescore.outcome import outcome_of

NOT_REPORTED = "Salesforce did not say what became of this record"
FOLLOWED_LATER = "this lead became a contact, which a later write will find"
COLLECTIONS = "composite/sobjects"
ABOUT_A_RECORD = 400
SHORT = 15
"""Characters of an id; three more only say again which of them are capitals."""

Fields = dict[str, FieldValue]
Values = Mapping[str, Mapping[str, Any]]
"""By record id what its fields become, as JSON has it."""

Found = list[Problem] | WriteResult
"""What a record was refused for (nothing: it was written), or its result where that is known already."""


def write_scores(client: Client, updates: Sequence[ScoreUpdate]) -> list[WriteResult]:
    """Write, and answer in the order of `updates`; see `Target.write`.

    Several updates of one record are one input. A lead that was converted is written as its contact.
    """
    fields: dict[str, Fields] = {}
    for update in updates:
        fields.setdefault(update.lead_id, {}).update(update.fields)
    results = _written(client, fields)
    return [results[update.lead_id] for update in updates]


def kind_of(lead_id: str) -> PersonKind | None:
    """What an id is of; None when of neither."""
    return PREFIXES.get(lead_id[:3]) if is_id(lead_id) else None


def _sent_as(lead_id: str) -> PersonKind:
    """What a record is written as; Salesforce shall say of an id of neither kind that it knows none."""
    return kind_of(lead_id) or "Lead"


def contacts_of(client: Client, lead_ids: Sequence[str]) -> dict[str, str]:
    """Of these leads those that were converted, and to which contact."""

    def cannot(refusal: Refused, entity: str, asked: Sequence[str]) -> RescoreError:
        return unreadable(refusal, entity, asked, "of this system")

    found = by_id(client, "Lead", CONVERSION, lead_ids, unreadable=cannot) if lead_ids else {}
    return {lead_id: str(row["ConvertedContactId"]) for lead_id, row in found.items() if is_converted(row)}


def _written(client: Client, fields: Mapping[str, Fields]) -> dict[str, WriteResult]:
    """All records, and the contacts of those that turn out to be converted, within the time of one write."""
    limits = client.limits
    longest = limits.bulk_seconds if len(fields) > limits.bulk_above else limits.write_seconds
    sending = _Sending(client, client.clock() + longest)
    found = sending.send(fields)
    converted = [lead_id for lead_id, said in found.items() if _is_converted(said)]
    found |= {one: WriteResult(one, "transient", FOLLOWED_LATER) for one in converted}
    if followed := converted[: limits.ids]:
        found |= sending.rest(followed, lambda: _followed(client, sending, fields, followed))
    return {lead_id: _result(lead_id, said) for lead_id, said in found.items()}


def _followed(
    client: Client, sending: _Sending, fields: Mapping[str, Fields], leads: Sequence[str]
) -> dict[str, Found]:
    """What became of converted leads, each written as its contact."""
    contacts = contacts_of(client, leads)
    written = sending.send(
        {contacts[one]: fields[one] for one in leads if contacts.get(one, one) not in fields}
    )
    return {lead_id: written[contact] for lead_id, contact in contacts.items() if contact in written}


def _is_converted(said: Found) -> bool:
    return isinstance(said, list) and any(problem.code == CONVERTED for problem in said)


class _Sending:
    """The calls of one write, and when the last of them may begin."""

    def __init__(self, client: Client, ends: float) -> None:
        self._client = client
        self._ends = ends

    def send(self, fields: Mapping[str, Fields]) -> dict[str, Found]:
        """The records by kind: a call takes ten changes of kind at most, a bulk job one kind.

        An error after the first call says what became of the rest: the known results must not be lost.
        """
        values, limits = {one: _values(mine) for one, mine in sorted(fields.items())}, self._client.limits
        in_bulk = len(values) > limits.bulk_above
        found: dict[str, Found] = {}
        for call in _kinds(values) if in_bulk else _chunks(values, limits.collection):
            ask = partial(self._bulk if in_bulk else self._collection, call)
            known = any(isinstance(said, list) for said in found.values())
            found |= self.rest(call, ask) if known else ask()
        return found

    def rest(self, lead_ids: Iterable[str], ask: Callable[[], dict[str, Found]]) -> dict[str, Found]:
        """The results of one more call; what it fails for is theirs."""
        try:
            if self._client.clock() >= self._ends:
                raise CrmUnavailable("the write took too long; the rest comes with a later one", sent=False)
            return ask()
        except RescoreError as error:
            said = outcome_of(error)
            return {lead_id: WriteResult(lead_id, said.kind, said.reason) for lead_id in lead_ids}

    def _bulk(self, values: Values) -> dict[str, Found]:
        return update_in_bulk(self._client, _sent_as(next(iter(values))), values, ends=self._ends)

    def _collection(self, values: Values) -> dict[str, Found]:
        """One call; one that is refused as a whole is halved until the record to blame stands alone."""
        sent = [{"attributes": {"type": _sent_as(one)}, "id": one, **mine} for one, mine in values.items()]
        try:
            answer = self._client.send("PATCH", COLLECTIONS, {"allOrNone": False, "records": sent})
        except Refused as refusal:
            stop_when_field_missing(refusal.problems, _names(values))
            if refusal.status != ABOUT_A_RECORD:
                raise CrmUnavailable(f"{refusal}; see that this version of its API can do that") from refusal
            if len(values) == 1:
                return dict.fromkeys(values, refusal.problems)
            found: dict[str, Found] = {}
            for half in _chunks(values, (len(values) + 1) // 2):
                found |= self.rest(half, partial(self._collection, half))
            return found
        return _read_results(answer, values)


def _kinds(values: Values) -> Iterator[Values]:
    for kind in dict.fromkeys(PREFIXES.values()):
        if mine := {lead_id: one for lead_id, one in values.items() if _sent_as(lead_id) == kind}:
            yield mine


def _chunks(values: Values, size: int) -> Iterator[Values]:
    records = list(values.items())
    for start in range(0, len(records), size):
        yield dict(records[start : start + size])


def _result(lead_id: str, said: Found) -> WriteResult:
    if isinstance(said, WriteResult):
        return WriteResult(lead_id, said.kind, said.reason)
    if not said:
        return WriteResult(lead_id, "ok")
    kind, reason = of_record(said)
    return WriteResult(lead_id, kind, reason)


def _read_results(answer: Any, values: Values) -> dict[str, Found]:
    """Each record's result: they come in the order of the request."""
    rows = answer if isinstance(answer, list) else []
    found: dict[str, Found] = {lead_id: WriteResult(lead_id, "unknown", NOT_REPORTED) for lead_id in values}
    if len(rows) != len(values):
        return found
    for lead_id, row in zip(values, rows, strict=True):
        if not isinstance(row, dict) or str(row.get("id") or lead_id)[:SHORT] != lead_id[:SHORT]:
            continue
        if row.get("success") is True:
            found[lead_id] = []
        elif refused := problems(row.get("errors")):
            stop_when_field_missing(refused, _names(values))
            found[lead_id] = refused
    return found


def _names(values: Values) -> set[str]:
    """Every field that is written."""
    return {name for mine in values.values() for name in mine}


def _values(fields: Fields) -> dict[str, Any]:
    """As JSON has them; null empties a field."""
    return {name: literal(one) if isinstance(one, datetime) else one for name, one in fields.items()}
