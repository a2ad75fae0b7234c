"""Scores back to leads and contacts: by record id, one result per record, and nobody is ever created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
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
NO_PERSON = "the id is none of a lead or contact of Salesforce's"
COLLECTIONS = "composite/sobjects"

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
    people = {lead_id: mine for lead_id, mine in fields.items() if kind_of(lead_id)}
    results = {lead_id: WriteResult(lead_id, "gone", NO_PERSON) for lead_id in fields.keys() - people.keys()}
    results |= _written(client, people)
    return [results[update.lead_id] for update in updates]


def kind_of(lead_id: str) -> PersonKind | None:
    """What an id is of; None when of neither."""
    return PREFIXES.get(lead_id[:3]) if is_id(lead_id) else None


def contacts_of(client: Client, lead_ids: Sequence[str]) -> dict[str, str]:
    """Of these leads those that were converted, and to which contact."""

    def cannot(refusal: Refused, entity: str, asked: Sequence[str]) -> RescoreError:
        return unreadable(refusal, entity, asked, "of this system")

    found = by_id(client, "Lead", CONVERSION, lead_ids, unreadable=cannot) if lead_ids else {}
    return {lead_id: str(row["ConvertedContactId"]) for lead_id, row in found.items() if is_converted(row)}


def _written(client: Client, fields: Mapping[str, Fields]) -> dict[str, WriteResult]:
    found = _sent(client, fields)
    converted = [lead_id for lead_id, said in found.items() if _is_converted(said)]
    contacts = contacts_of(client, converted)
    instead = {contacts[one]: fields[one] for one in converted if contacts.get(one, one) not in fields}
    written = _sent(client, instead)
    for lead_id in converted:
        contact = contacts.get(lead_id)
        if contact in written:
            found[lead_id] = written[contact]
        elif contact:
            found[lead_id] = WriteResult(
                lead_id, "transient", "this lead became a contact that was written in the same call"
            )
    return {lead_id: _result(lead_id, said) for lead_id, said in found.items()}


def _is_converted(said: Found) -> bool:
    return isinstance(said, list) and any(problem.code == CONVERTED for problem in said)


def _sent(client: Client, fields: Mapping[str, Fields]) -> dict[str, Found]:
    """The records by kind: a call takes ten changes of kind at most, a bulk job one kind.

    An error after the first call says what became of the rest: the known results must not be lost.
    """
    values = {lead_id: _values(mine) for lead_id, mine in sorted(fields.items())}
    in_bulk = len(values) > client.limits.bulk_above
    calls = list(_kinds(values)) if in_bulk else list(_chunks(values, client.limits.collection))
    ends = client.clock() + client.limits.write_seconds
    found: dict[str, Found] = {}
    for number, call in enumerate(calls):
        try:
            if number and client.clock() >= ends and not in_bulk:
                raise CrmUnavailable("the write took too long; the rest comes with a later one", sent=False)
            found |= update_in_bulk(client, _kind(call), call) if in_bulk else _collection(client, call)
        except RescoreError as error:
            if not any(isinstance(said, list) for said in found.values()):
                raise
            said = outcome_of(error)
            found |= {lead_id: WriteResult(lead_id, said.kind, said.reason) for lead_id in call}
    return found


def _kinds(values: Values) -> Iterator[Values]:
    for kind in dict.fromkeys(PREFIXES.values()):
        if mine := {lead_id: one for lead_id, one in values.items() if kind_of(lead_id) == kind}:
            yield mine


def _chunks(values: Values, size: int) -> Iterator[Values]:
    records = list(values.items())
    for start in range(0, len(records), size):
        yield dict(records[start : start + size])


def _kind(values: Values) -> PersonKind:
    return PREFIXES[next(iter(values))[:3]]


def _result(lead_id: str, said: Found) -> WriteResult:
    if isinstance(said, WriteResult):
        return WriteResult(lead_id, said.kind, said.reason)
    if not said:
        return WriteResult(lead_id, "ok")
    kind, reason = of_record(said)
    return WriteResult(lead_id, kind, reason)


def _collection(client: Client, values: Values) -> dict[str, Found]:
    """One call; one that is refused as a whole is halved until the record to blame stands alone."""
    sent = [{"attributes": {"type": kind_of(one)}, "id": one, **mine} for one, mine in values.items()]
    try:
        answer = client.send("PATCH", COLLECTIONS, {"allOrNone": False, "records": sent})
    except Refused as refusal:
        stop_when_field_missing(refusal.problems, _names(values))
        if refusal.status != 400:
            raise CrmUnavailable(f"{refusal}; see that this version of its API can do that") from refusal
        if len(values) == 1:
            return dict.fromkeys(values, refusal.problems)
        halves = [_collection(client, half) for half in _chunks(values, (len(values) + 1) // 2)]
        return {lead_id: said for half in halves for lead_id, said in half.items()}
    return _read_results(answer, values)


def _read_results(answer: Any, values: Values) -> dict[str, Found]:
    """Each record's result: they come in the order of the request."""
    rows = answer if isinstance(answer, list) else []
    found: dict[str, Found] = {lead_id: WriteResult(lead_id, "unknown", NOT_REPORTED) for lead_id in values}
    if len(rows) != len(values):
        return found
    for lead_id, row in zip(values, rows, strict=True):
        if not isinstance(row, dict) or row.get("id") not in (None, lead_id):
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
