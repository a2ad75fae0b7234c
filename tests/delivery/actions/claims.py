"""Claims of deliveries as the ledger would hand them to a sender."""

from datetime import UTC, datetime
from typing import Any

from rescore.automations.action_body import action_body
from rescore.connectors.catalog import load_mapping
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.mapping import Mapping
from rescore.rules.actions import Action, receiver
from tests.delivery.conftest import MAPPING

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = "5d0f4c70-0000-5000-8000-000000000001"


def a_claim(
    action: Action,
    *,
    lead: str = "crm:1",
    delivery_id: str = ID,
    automation: str = "mql",
    uncertain: bool = False,
    **places: str,
) -> DeliveryClaim:
    """One attempt; `places` fills the action's templates."""

    def fill(template: str) -> str:
        for name, value in places.items():
            template = template.replace(f"{{{name}}}", value)
        return template

    body = action_body(
        action, delivery=delivery_id, scorecard="b2b", automation=automation, lead=lead, as_of=NOW, fill=fill
    )
    return DeliveryClaim(
        delivery_id=delivery_id,
        scorecard="b2b",
        automation=automation,
        lead=lead,
        kind=action.kind,
        connection=receiver(action),
        body=body,
        tries=0,
        uncertain=uncertain,
        lease="w#1",
        attempt_id=1,
    )


def a_mapping(mode: str = "live", *, card: str = "live", **more: Any) -> Mapping:
    """Of the CRM `crm`, in which the scorecard `b2b` is shown."""
    mapping = load_mapping(MAPPING, "crm.yaml")
    scores = {"b2b": mapping.scores["b2b"].model_copy(update={"mode": card})}
    return mapping.model_copy(update={"mode": mode, "scores": scores, **more})
