"""One committed score as the properties that show it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from rescore.connectors.base import FieldValue
from rescore.ledger.outbox.syncs import SyncClaim
from rescore.mapping import ScoreFields
from rescore.reasons import reasons_text


def figures_hash(values: Mapping[str, FieldValue], shown_as: ScoreFields) -> str:
    """Of the score, band, grade and dimensions among these values: what is worth a write.

    Texts and dates follow the score and never cause one.
    """
    follow = {shown_as.reasons, shown_as.changed_at, shown_as.rules_version}
    figures = {name: value for name, value in values.items() if name not in follow}
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()[:16]


def score_fields(claim: SyncClaim, shown_as: ScoreFields) -> dict[str, FieldValue]:
    """What the CRM should show, by property; a lead outside the audience shows nothing."""
    scored = claim.score is not None
    values: dict[str | None, FieldValue] = {
        shown_as.score: claim.score,
        shown_as.band: claim.band,
        shown_as.grade: claim.grade,
        shown_as.reasons: reasons_text(claim.reasons) if scored else None,
        shown_as.changed_at: claim.changed_at if scored else None,
        shown_as.rules_version: claim.rules_version if scored else None,
        **{name: claim.dimensions.get(dimension) for dimension, name in shown_as.dimensions.items()},
    }
    return {name: value for name, value in values.items() if name}
