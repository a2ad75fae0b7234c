"""One committed score as the properties that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rescore.connectors.base import FieldValue
from rescore.ledger.syncs import SyncClaim
from rescore.mapping import ScoreFields
from rescore.model import MILLI


def score_fields(claim: SyncClaim, shown_as: ScoreFields) -> dict[str, FieldValue]:
    """What the CRM should show, by property; a lead outside the audience shows nothing."""
    scored = claim.score is not None
    values: dict[str | None, FieldValue] = {
        shown_as.score: claim.score,
        shown_as.band: claim.band,
        shown_as.grade: claim.grade,
        shown_as.reasons: reasons_text(claim.reasons) if scored else None,
        shown_as.changed_at: claim.changed_at,
        shown_as.rules_version: claim.rules_version,
        **{name: claim.dimensions.get(dimension) for dimension, name in shown_as.dimensions.items()},
    }
    return {name: value for name, value in values.items() if name}


def reasons_text(reasons: Sequence[Mapping[str, Any]]) -> str | None:
    """`Looked at pricing +12.5 · C-level +30`; None without reasons."""
    return " · ".join(f"{reason['label']} {_points(reason['points'])}" for reason in reasons) or None


def _points(thousandths: int) -> str:
    """Signed points without trailing zeros: 12500 is `+12.5`, -25000 is `-25`."""
    whole, rest = divmod(abs(thousandths), MILLI)
    text = f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
    return f"{'-' if thousandths < 0 else '+'}{text}"
