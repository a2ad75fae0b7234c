"""One record changed or made through the API: everything that Salesforce checks before it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.records import Row
from sandbox_salesforce.schema import LONGEST_TEXT, PREFIXES, SObject
from sandbox_salesforce.vendor import Refusal

ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)")


def read_values(about: SObject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields that exist, typed; what is wrong here refuses the whole call.

    Raises:
        Refusal: INVALID_FIELD or JSON_PARSER_ERROR.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        known = about.known(name)
        if known is None:
            message = f"No such column '{name}' on sobject of type {about.name}"
            raise Refusal(400, "INVALID_FIELD", message)
        values[known.name] = _typed(known.name, known.type, value)
    return values


def check(org: Organisation, about: SObject, values: Mapping[str, Any]) -> None:
    """What is wrong with the values of one record.

    Raises:
        Refusal: As a result of that record.
    """
    if fixed := [name for name in values if not about.editable(name)]:
        raise Refusal(
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(fixed)}. Please check the security settings of this "
            "field and verify that it is read/write for your profile or permission set.",
            fixed,
        )
    if long := [
        name for name, value in values.items() if isinstance(value, str) and len(value) > LONGEST_TEXT
    ]:
        raise Refusal(400, "STRING_TOO_LONG", f"{long[0]}: data value too large: {values[long[0]]}", long)
    for name, value in values.items():
        if about.fields[name].type == "reference" and value and not _leads_somewhere(org, value):
            raise Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name])


def record_to_edit(org: Organisation, about: SObject, record_id: Any) -> Row:
    """The record, when it is there to be edited.

    Raises:
        Refusal: As a result of that record.
    """
    if not isinstance(record_id, str) or not ID.fullmatch(record_id):
        raise Refusal(
            400, "MALFORMED_ID", f"{about.name} ID: id value of incorrect type: {record_id}", ["Id"]
        )
    if not record_id.startswith(PREFIXES[about.name]):
        raise Refusal(
            400, "MALFORMED_ID", f"{about.name} ID: id value of incorrect type: {record_id}", ["Id"]
        )
    found = org.records.find(record_id)
    if found is None:
        raise Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if found[1]["IsDeleted"]:
        raise Refusal(400, "ENTITY_IS_DELETED", "entity is deleted")
    if found[1].get("IsConverted"):
        raise Refusal(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    if record_id in org.not_ours:
        raise Refusal(400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    if record_id in org.locked:
        raise Refusal(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
    return found[1]


def edit(org: Organisation, about: SObject, record_id: Any, values: Mapping[str, Any]) -> str:
    """Change one record; its id.

    Raises:
        Refusal: As a result of that record.
    """
    row = record_to_edit(org, about, record_id)
    check(org, about, values)
    org.records.update(about.name, row["Id"], values, org.user)
    org.written += 1
    return str(row["Id"])


def _leads_somewhere(org: Organisation, value: Any) -> bool:
    found = org.records.find(str(value))
    return found is not None and not found[1]["IsDeleted"]


def _typed(name: str, kind: str, value: Any) -> Any:
    if value is None or (value == "" and kind != "boolean"):
        return None
    fits = {
        "double": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "date": isinstance(value, str) and DAY.fullmatch(value) is not None,
        "datetime": isinstance(value, str) and MOMENT.fullmatch(value) is not None,
    }.get(kind, isinstance(value, str | int | float) and not isinstance(value, bool))
    if not fits:
        message = f"Cannot deserialize instance of {kind} from value {value}"
        raise Refusal(400, "JSON_PARSER_ERROR", message, [name])
    if kind == "double":
        return float(value)
    return value if kind != "string" else str(value)
