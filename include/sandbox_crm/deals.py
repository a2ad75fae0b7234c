"""What a CRM would have recorded of each sale that the simulation makes."""

import random
from datetime import UTC, datetime
from typing import Any, Final

from sandbox_crm.facts import office_time
from sandbox_crm.shapes import DAY_MS, Change, Contact, Deal, Properties, Slot

EXPECTED_AFTER: Final = 45 * DAY_MS
"""When a deal that is made is expected to close."""
CLOSED: Final[dict[str, Properties]] = {
    "closed_won": {"dealstage": "closedwon", "hs_is_closed_won": "true"},
    "closed_lost": {"dealstage": "closedlost", "hs_is_closed_won": "false"},
}
STAGES: Final = {"negotiation": "contractsent", "demo_completed": "presentationscheduled"}
EARLY: Final = "qualifiedtobuy"


def a_deal(
    contact: Contact, row: dict[str, Any], created: int, closed: int | None, rng: random.Random
) -> Deal:
    """The deal of one simulated opportunity; days count back from the end, a negative one is to come."""
    changes = []
    if closed is not None and closed >= 0 and row["close_outcome"] in CLOSED:
        outcome = CLOSED[row["close_outcome"]] | {"hs_is_closed": "true", "closedate": None}
        changes.append(Change(Slot(closed, 20 * 3_600_000 + rng.randrange(3_000_000)), outcome))
    properties: Properties = {
        "dealname": f"{contact.properties['company']}: procurement",
        "amount": str(row["estimated_acv"]),
        "pipeline": "default",
        "dealstage": STAGES.get(row["stage"], EARLY),
        "hs_is_closed": "false",
        "hs_is_closed_won": "false",
        "hubspot_owner_id": contact.properties["hubspot_owner_id"],
    }
    return Deal(0, contact.id, Slot(created, office_time(rng)), properties, changes)


def expected(deal: Deal, created: int) -> Properties:
    """The properties of a deal that was just made."""
    return deal.properties | {"closedate": _text(created + EXPECTED_AFTER)}


def dated(changed: Properties, occurred: int) -> Properties:
    """The properties of a change, with the moment it happened where it has none."""
    return changed | {name: _text(occurred) for name, value in changed.items() if value is None}


def _text(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
