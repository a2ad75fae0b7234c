"""What both reports of a plan say in the same words: titles, the verdict, spans of time, what is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from rescore.plan.plan import BandMatrix, Plan, RuleEffect, Version
from rescore.scoring.held import Held

MINUTE, HOUR = 60, 3600
OURS: Final = re.compile(r"(`[\w.:{} ,-]{1,80}`)")
"""What stands as code in a sentence of ours; whatever else is in backticks is somebody's text."""
WAKES: Final = {
    "scoring": "every lead is scored again",
    "thresholds": "bands and crossings are derived again from the scores there are",
    "wording": "nobody is scored and nothing is written",
    None: "nothing that means anything changes",
}


class Matrix(NamedTuple):
    """Leads by old and new band, without the rows and columns that are empty on both sides."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    leads: tuple[tuple[int, ...], ...]
    most: int
    """The largest number of leads that move, 0 when nobody does."""


def versions(plan: Plan) -> str:
    """`v3 → v4`; a side that is not registered is called by its hash."""
    return f"{_version(plan.old)} → {_version(plan.new)}"


def _version(version: Version) -> str:
    return f"v{version.number}" if version.number is not None else version.sha256[:8]


def quarantine(plan: Plan) -> str:
    """`In quarantine: nothing now, 1,204 activities of 37 leads then.`; empty where nothing is told."""
    if plan.quarantine is None:
        return ""
    return f"In quarantine: {_held(plan.quarantine.old)} now, {_held(plan.quarantine.new)} then."


def _held(held: Held) -> str:
    return f"{held.activities:,} activities of {held.leads:,} leads" if held.activities else "nothing"


def verdict(plan: Plan) -> str:
    """Whether a person has to answer, in one sentence."""
    if plan.verdict.reasons:
        return "A person has to look at this first"
    if plan.wakes is None or plan.wakes == "wording":
        return "Nobody has to be asked: no score and no automation moves"
    return "Within every limit: it goes into force by itself"


def span(seconds: int) -> str:
    """About how long: `41 s`, `3 min`, `2 h 5 min`."""
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    hours, rest = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def matrix(bands: BandMatrix) -> Matrix:
    """The band-to-band matrix, fit to be shown."""
    rows = [at for at, row in enumerate(bands.leads) if any(row)]
    columns = [at for at in range(len(bands.new)) if any(row[at] for row in bands.leads)]
    moving = [bands.leads[i][j] for i in rows for j in columns if bands.old[i] != bands.new[j]]
    return Matrix(
        tuple(bands.old[i] for i in rows),
        tuple(bands.new[j] for j in columns),
        tuple(tuple(bands.leads[i][j] for j in columns) for i in rows),
        max(moving, default=0),
    )


def most_changed(rules: Sequence[RuleEffect]) -> list[RuleEffect]:
    """Rules by how much more or less they give than before; those that stay the same come last."""
    return sorted(rules, key=lambda rule: (rule.change == "same", -abs(_given(rule, 1) - _given(rule, 0))))


def _given(rule: RuleEffect, side: int) -> int:
    contribution = (rule.old, rule.new)[side]
    return 0 if contribution is None else contribution.points


def ids(plan: Plan) -> frozenset[str]:
    """The ids of rules and automations on either side."""
    return frozenset({rule.id for rule in plan.rules} | {one.id for one in plan.automations})


def dead_rules(plan: Plan) -> list[RuleEffect]:
    """The rules of the new version that give nobody anything."""
    return [rule for rule in plan.rules if rule.dead]


def printable(text: str) -> str:
    """A text without characters that steer what is written around it."""
    return "".join(character if character.isprintable() else " " for character in text)


def signed(number: int) -> str:
    """With its sign, a real minus, and ± for nothing."""
    return f"{number:+,}".replace("-", "−") if number else "±0"
