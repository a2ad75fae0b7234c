"""Deals: for each contact that one is about, that it was made, and how it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from rescore.connectors.hubspot.mapping import Deals
from rescore.connectors.hubspot.reading import amount, happened_at, translated
from rescore.connectors.hubspot.tied import Kind
from rescore.connectors.hubspot.values import read_flag
from rescore.errors import RecordUnreadable
from rescore.lake.records import ActivityRecord


def deals_as(deals: Deals) -> Kind:
    """How deals are read."""
    return Kind(sorted(deals.read_properties), partial(_activities, deals))


def _activities(
    deals: Deals, name: str, properties: Mapping[str, Any], contacts: Sequence[str]
) -> list[ActivityRecord]:
    """Two activities per contact; a deal that is won, lost or opened again corrects the second."""
    if not contacts:
        return []
    value, texts = amount(properties.get(deals.value or "")), translated(properties, deals.translate)
    return [
        ActivityRecord(
            activity_id=f"{name}:{what}:{contact}",
            shared=f"{name}:{what}",
            lead_id=contact,
            type=kind,
            occurred_at=happened_at(properties.get(at)),
            asset=texts.get(deals.asset or ""),
            channel=deals.channel,
            value=value,
            fields={ours: texts[theirs] for ours, theirs in deals.fields.items() if theirs in texts},
        )
        for what, kind, at in _milestones(deals, properties)
        for contact in contacts
    ]


def _milestones(deals: Deals, properties: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What happened, its type, and the property that says when."""
    yield "created", deals.created, deals.created_at
    if not _flag(properties.get(deals.is_closed)):
        yield "standing", deals.open, deals.created_at
    else:
        kind = deals.won if _flag(properties.get(deals.is_won)) else deals.lost
        yield "standing", kind, deals.closed_at


def _flag(value: Any) -> bool:
    """HubSpot computes these a moment after the deal; until then it is open."""
    try:
        return read_flag(str(value)) if value not in (None, "") else False
    except ValueError:
        raise RecordUnreadable("standing_unreadable") from None
