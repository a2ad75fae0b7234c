"""The contact properties that hold scores: made once by `rescore setup hubspot`, checked before a run."""

from __future__ import annotations

from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.windows import rows_of
from rescore.errors import CrmFieldMissing
from rescore.mapping import Mapping

ALREADY_THERE = 409


def create_properties(client: Client, mapping: Mapping) -> list[str]:
    """Make the group and the score properties that are missing; one line per thing says what was done."""
    done = [f"property group `{mapping.group}`: {_create_group(client, mapping)}"]
    present = _present(client, mapping)
    for definition in definitions(mapping):
        name = definition["name"]
        done.append(f"property `{name}`: {_create(client, mapping, definition, name in present)}")
    return done


def check_properties(client: Client, mapping: Mapping) -> None:
    """See that the token may read properties and that every property of the mapping is there.

    Raises:
        CrmFieldMissing: Naming each that is not.
        CrmRejectedCredentials: The token is wrong or lacks a scope.
    """
    present = _present(client, mapping)
    scores = [definition["name"] for definition in definitions(mapping)]
    if missing := [name for name in scores if name not in present]:
        raise CrmFieldMissing(
            f"HubSpot has no contact property {_quoted(missing)}; run `rescore setup hubspot` to create it"
        )
    read = {attribute.property for attribute in mapping.leads.attributes.values()}
    if missing := sorted(read - present):
        raise CrmFieldMissing(
            f"HubSpot has no contact property {_quoted(missing)}; correct the mapping {mapping.name}.yaml"
        )


def definitions(mapping: Mapping) -> list[JsonObject]:
    """What each score property is made as."""
    made = []
    for scorecard, fields in mapping.scores.items():
        title = scorecard.replace("_", " ")
        kinds: dict[str | None, tuple[str, str, str]] = {
            fields.score: ("score", "number", "number"),
            fields.band: ("band", "string", "text"),
            fields.grade: ("grade", "string", "text"),
            fields.reasons: ("reasons", "string", "textarea"),
            fields.changed_at: ("score changed at", "datetime", "date"),
            fields.rules_version: ("rules version", "number", "number"),
            **{name: (dimension, "number", "number") for dimension, name in fields.dimensions.items()},
        }
        made += [
            {
                "name": name,
                "label": f"{title}: {what}",
                "type": kind,
                "fieldType": field,
                "groupName": mapping.group,
                "description": f"Rescore writes this from the scorecard {scorecard}; edits are lost.",
            }
            for name, (what, kind, field) in kinds.items()
            if name
        ]
    return made


def _create_group(client: Client, mapping: Mapping) -> str:
    listed = client.get(mapping.leads.groups)
    if any(group.get("name") == mapping.group for group in rows_of(listed, "results", what="groups")):
        return "was there"
    return _post(client, mapping.leads.groups, {"name": mapping.group, "label": "Rescore"})


def _create(client: Client, mapping: Mapping, definition: JsonObject, present: bool) -> str:
    return "was there" if present else _post(client, mapping.leads.properties, definition)


def _post(client: Client, path: str, body: JsonObject) -> str:
    try:
        client.post(path, body)
    except Refused as refusal:
        if refusal.status != ALREADY_THERE:
            raise
        return "was there"
    return "created"


def _present(client: Client, mapping: Mapping) -> set[str]:
    answer = client.get(mapping.leads.properties)
    return {str(row.get("name")) for row in rows_of(answer, "results", what="properties")}


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
