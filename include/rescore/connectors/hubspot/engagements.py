"""Calls, meetings, notes, tasks and e-mails: one activity for each contact that an engagement is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rescore.connectors.hubspot.mapping import Engagements, TypeByProperty
from rescore.connectors.hubspot.reading import amount, happened_at, translated
from rescore.connectors.hubspot.tied import Kind
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord


def engagements_as(engagements: Engagements) -> Kind:
    """How these engagements are read."""
    return Kind(sorted(engagements.read_properties), partial(_activities, engagements))


def _activities(
    engagements: Engagements, name: str, properties: Mapping[str, Any], contacts: Sequence[str]
) -> list[ActivityRecord]:
    """One activity per contact, whose id lasts as long as the engagement does."""
    if engagements.ours and properties.get(engagements.ours):
        raise RecordUnreadable("made_by_rescore")
    if not contacts:
        return []
    kind = _type(engagements.type, properties)
    occurred_at = happened_at(next((properties[at] for at in engagements.at if properties.get(at)), None))
    value = amount(properties.get(engagements.value or ""))
    texts = translated(properties, engagements.translate)
    return [
        ActivityRecord(
            activity_id=f"{name}:{contact}",
            shared=name,
            lead_id=contact,
            type=kind,
            occurred_at=occurred_at,
            asset=texts.get(engagements.asset or ""),
            channel=engagements.channel,
            value=value,
            fields={ours: texts[theirs] for ours, theirs in engagements.fields.items() if theirs in texts},
        )
        for contact in contacts
    ]


def _type(rule: str | TypeByProperty, properties: Mapping[str, Any]) -> str:
    if isinstance(rule, str):
        return rule
    kind = rule.values.get(str(properties.get(rule.property)), rule.otherwise)
    if kind is None:
        raise RecordUnreadable("type_unknown")
    return kind
