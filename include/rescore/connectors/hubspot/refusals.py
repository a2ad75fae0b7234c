"""What a refusal of HubSpot's says, without its messages: they quote values of the lead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rescore.connectors.hubspot.client import JsonObject, Refused
from rescore.connectors.hubspot.words import code, names
from rescore.errors import CrmFieldMissing, CrmUnavailable, RecordGone, RecordRefused, RescoreError

MISSING_PROPERTY = "PROPERTY_DOESNT_EXIST"
NOT_FOUND = "OBJECT_NOT_FOUND"
ABOUT_A_RECORD = {400, 409, 413, 422}
"""Refusals that a record can cause, alone or in a batch; a wrong path (404) is nobody's fault in it."""
CODE_IN_MESSAGE = re.compile(r'"error"\s*:\s*"([A-Z_]+)"')
NAME_IN_MESSAGE = re.compile(r'"name"\s*:\s*"([A-Za-z0-9_]+)"')


def why(error: JsonObject, what: str) -> str:
    """`HubSpot refused this record: VALIDATION_ERROR, INVALID_DATE (jobtitle)`."""
    reason = f"HubSpot refused {what}: {', '.join([category(error), *sorted(_codes(error))])}"
    if properties := sorted(_property_names(error)):
        reason += f" ({', '.join(properties)})"
    return reason


def category(error: JsonObject) -> str:
    """HubSpot's first word on what went wrong."""
    return code(error.get("category"), "no category")


def as_error(refusal: Refused, what: str, section: str) -> RescoreError:
    """A refused call about one record as an error of that record, or of the mapping's `section`."""
    if category(refusal.body) == NOT_FOUND:
        return RecordGone(f"HubSpot has no such record any more ({refusal.status})")
    if refusal.status in ABOUT_A_RECORD:
        return RecordRefused(why(refusal.body, what))
    return CrmUnavailable(f"{refusal}; check `{section}` in the mapping", sent=False)


def stop_when_property_missing(errors: Sequence[JsonObject], of: str = "contact") -> None:
    """Raise CrmFieldMissing when one of the errors says so; `of` is the kind of object."""
    for error in errors:
        if MISSING_PROPERTY in _codes(error):
            missing = ", ".join(f"`{name}`" for name in sorted(_property_names(error))) or "of the mapping"
            raise CrmFieldMissing(
                f"HubSpot has no {of} property {missing}; run `rescore setup hubspot` to create it"
            )


def objects(value: Any) -> list[JsonObject]:
    """The objects of a list; nothing when it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _codes(error: JsonObject) -> set[str]:
    """What HubSpot calls the problem: a field of its own, or hidden in JSON within the message."""
    parts = [error, *objects(error.get("errors"))]
    named = {code(part.get(key), "") for part in parts for key in ("code", "error")} - {""}
    return named | {found for part in parts for found in CODE_IN_MESSAGE.findall(str(part.get("message")))}


def _property_names(error: JsonObject) -> set[str]:
    found: set[str] = set()
    for part in [error, *objects(error.get("errors"))]:
        found.update(NAME_IN_MESSAGE.findall(str(part.get("message"))))
        context = part.get("context")
        found.update(names(context.get("propertyName")) if isinstance(context, dict) else [])
    return found
