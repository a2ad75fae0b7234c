"""Whether the login works, and our user may see and edit every field that the mapping names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rescore.connectors.salesforce.client import Client, Refused
from rescore.connectors.salesforce.mapping import SalesforceMapping
from rescore.connectors.salesforce.refusals import no_object
from rescore.errors import CrmFieldMissing, CrmUnavailable

TEXT, DATE_TIME, WHOLE = "Text(255)", "Date/Time", "Number(18, 0)"


def check_fields(client: Client, mapping: SalesforceMapping) -> list[str]:
    """See that every field of the mapping is there; one line for each that is ours.

    Salesforce's fields are made in its set-up by an administrator, with a profile or permission set that says
    who may see them: nothing is made here.

    Raises:
        CrmRejectedCredentials: The login is refused, or an object is not ours to see.
        CrmFieldMissing: Naming each field that is not there, or not ours to edit, and what to make it as.
    """
    ours = dict(_ours(mapping))
    missing: list[str] = []
    for kind in mapping.leads.kinds:
        there = _fields(client, kind, mapping.name)
        missing += [_wanted(kind, name, made_as) for name, made_as in ours.items() if not there.get(name)]
        read = [path for path in mapping.leads.fields(kind) if "." not in path]
        missing += [_wanted(kind, name, "readable") for name in read if name not in there]
    task_fields = [mapping.tasks.delivery, mapping.tasks.automation] if mapping.tasks else []
    if task_fields:
        there = _fields(client, "Task", mapping.name)
        missing += [_wanted("Task", name, TEXT) for name in task_fields if not there.get(name)]
    if missing:
        raise CrmFieldMissing(
            f"Salesforce lacks, or hides from our user, {', '.join(missing)}; create them in its set-up and "
            "give the user edit access to those that are ours (docs/salesforce.md)"
        )
    kinds = " and ".join(mapping.leads.kinds)
    return [f"`{name}` of {kinds}: was there" for name in ours] + [
        f"`{name}` of Task: was there" for name in task_fields
    ]


def _ours(mapping: SalesforceMapping) -> Iterator[tuple[str, str]]:
    for fields in mapping.scores.values():
        for (first, *_), name in fields.places().items():
            yield name, _made_as(first)


def _made_as(what: str) -> str:
    if what in ("band", "grade", "reasons"):
        return TEXT
    return DATE_TIME if what == "changed_at" else WHOLE


def _wanted(entity: str, name: str, made_as: str) -> str:
    return f"`{entity}.{name}` ({made_as})"


def _fields(client: Client, entity: str, mapping: str) -> dict[str, bool]:
    """The fields that our user sees, and whether it may edit each."""
    try:
        described: Any = client.get(f"sobjects/{entity}/describe").get("fields")
    except Refused as refusal:
        raise no_object(entity, f"{mapping}.yaml") from refusal
    if not isinstance(described, list):
        raise CrmUnavailable(f"Salesforce described `{entity}` without its fields", sent=False)
    return {str(one.get("name")): bool(one.get("updateable")) for one in described if isinstance(one, dict)}
