"""Which record of a CRM an action is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rescore.errors import RecordRefused
from rescore.model import split_lead_key

Merged = Callable[[Collection[str]], Mapping[str, str]]
"""Which of these leads were merged away, and into which lead: `Lake.canonical`."""


def nobody_merged(leads: Collection[str]) -> Mapping[str, str]:
    """For places without a lake."""
    return {}


def record_id(said: Mapping[str, Any], merged: Merged) -> str:
    """The CRM's id of the lead that a body is about, or of the lead into which it was merged since.

    Raises:
        RecordRefused: The lead is not of this CRM.
    """
    key = said["lead"]["key"]
    source, lead_id = split_lead_key(merged([key]).get(key, key))
    if source != said["target"]:
        raise RecordRefused(f"the lead is no record of {said['target']}")
    return lead_id
