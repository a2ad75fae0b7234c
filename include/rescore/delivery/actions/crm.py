"""What tasks and fields have in common: which CRM and record, and whether anything is written at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rescore import mapping as mappings
from rescore.connectors.actions import Actions
from rescore.errors import RecordRefused
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.model import split_lead_key
from rescore.outcome import Outcome

Connect = Callable[[str], Actions]
"""The CRM of a mapping's name; raises a ConfigurationError when there is none."""

MappingOf = Callable[[str], mappings.Mapping]
"""The mapping of that name; raises a ConfigurationError when there is none."""

Merged = Callable[[Collection[str]], Mapping[str, str]]
"""Which of these leads were merged away, and into which lead: `Lake.canonical`."""


def nobody_merged(leads: Collection[str]) -> Mapping[str, str]:
    """For places without a lake."""
    return {}


def rehearsal(mapping: mappings.Mapping, claim: DeliveryClaim) -> Outcome | None:
    """The end of a delivery to a CRM in shadow, where nothing is written; None when it is live.

    It does not wait for the day on which the CRM goes live: a month's crossings would come down at once.
    """
    scored = claim.scorecard in mapping.scores
    if (mapping.mode_of(claim.scorecard) if scored else mapping.mode) == "live":
        return None
    return Outcome("ok", f"left as it is: in the mapping {mapping.name}.yaml this is in `mode: shadow`")


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
