"""Why a score changed: the causes of a delta, in the order in which they are told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum


class Cause(StrEnum):
    """What a change of a score is due to.

    A change is taken apart by computing the score again after each step, in this order, from what the
    committed score was made of to what the new one is made of. Each cause gets the whole points that its
    step moved, and so they sum exactly.
    """

    DECAY = "decay"  # time went by: decay, windows, silence, ages
    MERGE = "merge"  # another lead became this one, or counts by itself again
    CORRECTION = "correction"  # the source changed activities that were known
    LATE = "late"  # activities from before the last scoring that were not known then
    ACTIVITY = "activity"  # activities since the last scoring
    RESTART = "restart"  # what a restart takes away; what its activity is worth is told apart
    ATTRIBUTE = "attribute"  # the lead's attributes changed
    RULES = "rules"  # another rules version
    OVERRIDE = "override"  # somebody set the score by hand; nothing does so yet


WORDS: Mapping[Cause, str] = {
    Cause.DECAY: "time",
    Cause.MERGE: "a merge",
    Cause.CORRECTION: "corrections",
    Cause.LATE: "late activity",
    Cause.ACTIVITY: "activity",
    Cause.RESTART: "a restart",
    Cause.ATTRIBUTE: "attributes",
    Cause.RULES: "new rules",
    Cause.OVERRIDE: "an override",
}


def read_causes(stored: str | None) -> dict[str, int]:
    """Cause -> whole points, as a delta keeps them."""
    return {} if stored is None else {str(cause): int(points) for cause, points in json.loads(stored).items()}


def in_words(causes: Mapping[str, int]) -> str:
    """`activity +12, time -3`: the strongest first."""
    strongest = sorted(causes.items(), key=lambda cause: (-abs(cause[1]), cause[0]))
    return ", ".join(f"{WORDS[Cause(cause)]} {points:+d}" for cause, points in strongest)
