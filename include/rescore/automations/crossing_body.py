"""What a receiver is told of a crossing: a delivery's id and its bytes, the same whoever computes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from rescore.automations.score_conditions import Values
from rescore.model import split_lead_key
from rescore.rules.card import Automation

NOT_DIMENSIONS = ("score", "band", "grade")

DELIVERIES = UUID("6f7c1a0e-53a1-5d0e-9b5d-9a4c1b6f2d11")
"""The namespace of delivery ids; changing it would send everything again."""


def delivery_id(scorecard: str, automation: str, lead: str, n: int, action: int) -> str:
    """The same for the same crossing and action, whoever computes it and however often."""
    return str(uuid5(DELIVERIES, f"{scorecard}|{automation}|{lead}|{n}|{action}"))


def crossing_body(
    *,
    delivery: str,
    scorecard: str,
    automation: Automation,
    lead: str,
    n: int,
    old: Values | None,
    new: Values,
    reasons: Sequence[Mapping[str, Any]],
    causes: Mapping[str, int],
    rules_version: int,
    activation: int,
    as_of: datetime,
) -> bytes:
    """What a receiver is told of a crossing, frozen: the bytes that are signed and sent, every time.

    It names the lead by its ids and holds no attribute of it. `causes` are whole points that sum to the
    change of the score; of a crossing that was held there are none, because the score went on meanwhile.
    """
    before = old or dict.fromkeys(NOT_DIMENSIONS)
    source, lead_id = split_lead_key(lead)
    data = {
        "delivery_id": delivery,
        "scorecard": scorecard,
        "automation": automation.id,
        "label": automation.label,
        "lead": {"source": source, "lead_id": lead_id, "key": lead},
        "score": {"old": before["score"], "new": new["score"]},
        "band": {"old": before["band"], "new": new["band"]},
        "grade": {"old": before["grade"], "new": new["grade"]},
        "dimensions": {name: value for name, value in new.items() if name not in NOT_DIMENSIONS},
        "reasons": list(reasons),
        "causes": dict(causes),
        "rules_version": rules_version,
        "activation": activation,
        "as_of": as_of.isoformat(),
        "arming": n,
    }
    message = {"type": "rescore.crossing", "timestamp": as_of.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
