"""What identifies a plan: old rules, new rules, the state of the facts, and the moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from rescore.rules.card import Scorecard
from rescore.rules.fingerprint import fingerprint


def meaning_of(card: Scorecard) -> str:
    """SHA-256 over all that a scorecard says, however it is written."""
    return _sha256([card.id, *astuple(fingerprint(card))])


def plan_hash_of(old: Scorecard, new: Scorecard, snapshot: Mapping[str, Any], as_of: datetime) -> str:
    """The same for the same rules over the same facts at the same moment."""
    return _sha256([meaning_of(old), meaning_of(new), dict(snapshot), as_of.astimezone(UTC).isoformat()])


def _sha256(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
