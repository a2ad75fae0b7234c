"""The properties that are ours, of contacts and of tasks: made once by `rescore setup hubspot`."""

from __future__ import annotations

from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.mapping import Deals, HubSpotMapping, Tasks
from rescore.connectors.hubspot.windows import rows_of
from rescore.errors import CrmFieldMissing, CrmLacksScope

ALREADY_THERE = 409


def create_properties(client: Client, mapping: HubSpotMapping) -> list[str]:
    """Make the groups and the properties that are missing; one line per thing says what was done.

    Tasks need a scope of their own: a token without it makes the score properties all the same.
    """
    leads = mapping.leads
    done = _create(client, "property", leads.groups, leads.properties, mapping.group, definitions(mapping))
    if mapping.tasks is None:
        return done
    tasks, ours = mapping.tasks, task_definitions(mapping.tasks, mapping.group)
    try:
        return done + _create(client, "task property", tasks.groups, tasks.properties, mapping.group, ours)
    except CrmLacksScope as error:
        return [*done, f"task properties: not made, so automations cannot make tasks: {error}"]


def check_properties(client: Client, mapping: HubSpotMapping) -> None:
    """See that the token may read properties and that every property of the mapping is there.

    Raises:
        CrmFieldMissing: Naming each that is not.
        CrmRejectedCredentials: The token is wrong or lacks a scope.
    """
    present = _present(client, mapping.leads.properties)
    scores = [name for each in definitions(mapping) if (name := each["name"]) not in present]
    way_out = f"correct the mapping {mapping.name}.yaml"
    lacking = [
        *_lacking(
            "contact",
            scores,
            "run `rescore setup hubspot` to create it",
        ),
        *_lacking("contact", sorted(mapping.leads.read_properties - present), way_out),
    ]
    if mapping.accounts:
        read = {attribute.property for attribute in mapping.accounts.attributes.values()}
        there = _present(client, mapping.accounts.properties)
        lacking += _lacking("company", sorted(read - there), way_out)
    for stream in mapping.activities.values():
        if isinstance(stream, Deals):
            there = _present(client, stream.properties)
            lacking += _lacking("deal", sorted(stream.read_properties - there), way_out)
    if lacking:
        raise CrmFieldMissing(f"HubSpot has {'; it has '.join(lacking)}")


def _lacking(kind: str, missing: list[str], way_out: str) -> list[str]:
    return [f"no {kind} property {_quoted(missing)}; {way_out}"] if missing else []


def definitions(mapping: HubSpotMapping) -> list[JsonObject]:
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


def task_definitions(tasks: Tasks, group: str) -> list[JsonObject]:
    """What the two properties of a task are made as."""
    titles = {tasks.delivery: "delivery", tasks.automation: "automation"}
    return [
        {
            "name": name,
            "label": f"Rescore: {title}",
            "type": "string",
            "fieldType": "text",
            "groupName": group,
            "description": f"The {title} that made this task; Rescore finds the task again by it.",
        }
        for name, title in titles.items()
    ]


def _create(
    client: Client, kind: str, groups: str, properties: str, group: str, wanted: list[JsonObject]
) -> list[str]:
    """One line for the group and one for each property."""
    done = [f"{kind} group `{group}`: {_create_group(client, groups, group)}"]
    present = _present(client, properties)
    for definition in wanted:
        name = definition["name"]
        made = "was there" if name in present else _post(client, properties, definition)
        done.append(f"{kind} `{name}`: {made}")
    return done


def _create_group(client: Client, path: str, name: str) -> str:
    listed = client.get(path)
    if any(group.get("name") == name for group in rows_of(listed, "results", what="groups")):
        return "was there"
    return _post(client, path, {"name": name, "label": "Rescore"})


def _post(client: Client, path: str, body: JsonObject) -> str:
    try:
        client.write(path, body)
    except Refused as refusal:
        if refusal.status != ALREADY_THERE:
            raise
        return "was there"
    return "created"


def _present(client: Client, path: str) -> set[str]:
    answer = client.get(path)
    return {str(row.get("name")) for row in rows_of(answer, "results", what="properties")}


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
