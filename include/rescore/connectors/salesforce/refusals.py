"""What a refusal of Salesforce's leads to, for what was read and for each record that was written."""

from __future__ import annotations

from collections.abc import Collection

from rescore.connectors.salesforce.client import Refused
from rescore.connectors.salesforce.words import Problem
from rescore.errors import CrmFieldMissing, CrmLacksScope, CrmUnavailable, RescoreError
from rescore.outcome import Kind

GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "MALFORMED_ID"}
ITSELF = {"Id", "WhoId"}
"""Fields with the id of the record that is written, or of whom a task is about; another one is a value."""

CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"
LATER = {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_LIMIT_EXCEEDED"}
NO_FIELD = {"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "InvalidBatch"}
NO_ACCESS = {"INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}


def unreadable(refusal: Refused, entity: str, asked: Collection[str], mapping: str) -> RescoreError:
    """Why an object cannot be read, or some of its fields."""
    if "INVALID_TYPE" in refusal.codes:
        return no_object(entity, mapping)
    if "INVALID_FIELD" in refusal.codes:
        named = {name for problem in refusal.problems for name in problem.among(asked)}
        if twice := {name for name in asked if sum(name.lower() == each.lower() for each in {*asked}) > 1}:
            return CrmFieldMissing(
                f"{_quoted(twice)} are one field of Salesforce's `{entity}`: write it in one way, as "
                f"`rescore describe` does, in the mapping {mapping}"
            )
        return CrmFieldMissing(
            f"Salesforce shows our user no field {_quoted(named)} of `{entity}`: create it, give the user "
            f"read access to it, or take it out of the mapping {mapping}"
        )
    return CrmUnavailable(f"{refusal}; check `{entity}` in the mapping {mapping}", sent=False)


def no_object(entity: str, mapping: str) -> CrmLacksScope:
    """An object is hidden from our user, or there is none of that name."""
    return CrmLacksScope(
        f"Salesforce shows our user no object `{entity}`: give the user read access to it, or take it out of "
        f"the mapping {mapping}"
    )


def stop_when_field_missing(problems: Collection[Problem], names: Collection[str]) -> None:
    """Raise CrmFieldMissing when one of the problems is that a field is not there, or not for us to write."""
    named = {name for one in problems if one.code in NO_FIELD for name in one.among(names)}
    if named:
        raise CrmFieldMissing(
            f"Salesforce lets our user write no field {_quoted(named)}: create it on leads and contacts, and "
            "give the user edit access to it in both (docs/salesforce.md)"
        )


def of_record(problems: Collection[Problem]) -> tuple[Kind, str]:
    """What became of one record that was refused, and the reason without any value of it."""
    codes = {problem.code for problem in problems}
    reason = "Salesforce refused this record: " + (
        ", ".join(sorted({problem.told() for problem in problems})) or "it did not say why"
    )
    if any(problem.code in GONE and {*problem.fields} <= ITSELF for problem in problems):
        return "gone", reason
    if codes & LATER:
        return "transient", reason
    if codes & NO_ACCESS:
        reason += "; give our user edit access to it"
    return "record", reason


def _quoted(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "of the mapping"
