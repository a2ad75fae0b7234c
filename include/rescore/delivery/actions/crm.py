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


RecordOf = Callable[[str, str], str | None]
"""The id that a CRM has of a lead (CRM, lead key); None when it has no record of that person."""


def own_record(target: str, lead: str) -> str | None:
    """For places where every lead has the one record that it is called after."""
    source, record_id = split_lead_key(lead)
    return record_id if source == target else None


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


def record_id(said: Mapping[str, Any], merged: Merged, record_of: RecordOf) -> str:
    """The CRM's id of the lead that a body is about, or of the lead into which it was merged since.

    Raises:
        RecordRefused: The person has no record in this CRM.
    """
    key = said["lead"]["key"]
    found = record_of(said["target"], merged([key]).get(key, key))
    if found is None:
        raise RecordRefused(f"the person has no record in {said['target']}")
    return found
