"""Why a lead has its score, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rescore.model import MILLI


def reasons_text(reasons: Sequence[Mapping[str, Any]]) -> str | None:
    """`Looked at pricing +12.5 · C-level +30`; None without reasons."""
    return " · ".join(f"{reason['label']} {_points(reason['points'])}" for reason in reasons) or None


def _points(thousandths: int) -> str:
    """Signed points without trailing zeros: 12500 is `+12.5`, -25000 is `-25`."""
    whole, rest = divmod(abs(thousandths), MILLI)
    text = f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
    return f"{'-' if thousandths < 0 else '+'}{text}"
