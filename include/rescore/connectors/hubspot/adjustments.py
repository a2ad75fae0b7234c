"""Points that people give by hand in a contact: each change of the property is one dated activity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rescore.connectors.hubspot.client import Client
from rescore.connectors.hubspot.mapping import HubSpotLeads
from rescore.connectors.hubspot.reading_back import read_edits
from rescore.connectors.hubspot.values import milliseconds
from rescore.connectors.readback import Edit
from rescore.connectors.values import decimal_number
from rescore.lake.records import ActivityRecord, SetAside

ADJUSTMENT = "adjustment"
TOGETHER = timedelta(minutes=1)
"""Points and reason that are typed into one form are saved a moment apart."""


def adjustments(
    client: Client, leads: HubSpotLeads, lead_ids: Sequence[str], *, until: datetime
) -> Iterator[ActivityRecord | SetAside]:
    """Every change of these contacts' points, as far back as HubSpot remembers.

    The history says when each was made, so a contact that is read again brings the same activities again,
    under the same ids, and the lake drops them. Points that were taken out are a change to 0.
    """
    if leads.adjustments is None or not lead_ids:
        return
    points, reason = leads.adjustments.points, leads.adjustments.reason
    edits = read_edits(client, leads.read, lead_ids, leads.adjustments.properties)
    for lead_id in lead_ids:
        reasons = edits.get((lead_id, reason), []) if reason else []
        for edit in edits.get((lead_id, points), []):
            if edit.at <= until:
                yield _adjustment(lead_id, edit, reasons)


def _adjustment(lead_id: str, edit: Edit, reasons: Sequence[Edit]) -> ActivityRecord | SetAside:
    activity_id = f"{ADJUSTMENT}-{lead_id}-{milliseconds(edit.at)}"
    try:
        value = decimal_number(edit.value) if edit.value else 0.0
    except ValueError:
        return SetAside("activity", activity_id, "points_unreadable", repr(edit.value))
    reason = next((one.value for one in reasons if one.at <= edit.at + TOGETHER), None)
    return ActivityRecord(
        activity_id,
        lead_id,
        ADJUSTMENT,
        edit.at,
        asset=reason,
        value=value,
        fields={"by": edit.by} if edit.by else {},
    )
