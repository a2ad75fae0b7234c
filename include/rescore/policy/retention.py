"""How long what has done its work is kept: the policy file's `retention:`, and what it is by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import ValidationInfo, field_validator, model_validator

from rescore.policy.span import DAY, HOUR, Span, written
from rescore.strict.model import StrictMap, refuse


@dataclass(frozen=True, slots=True)
class Retention:
    """From when on each kind of thing may go; what somebody still needs stays however old it is.

    `stages` are what finished and dead runs left behind: staged rows, and results in the lake. `plans` count
    with their reports, and with every other report. `waiting` are activities whose address no lead has yet.
    `old_files` is how long a file stays that the lake's tables no longer name: longer than any task reads.
    """

    stages: timedelta = 2 * DAY
    runs: timedelta = 90 * DAY
    deltas: timedelta = 400 * DAY
    crossings: timedelta = 400 * DAY
    deliveries: timedelta = 400 * DAY
    delivery_bodies: timedelta = 30 * DAY
    attempts: timedelta = 90 * DAY
    overrides: timedelta = 400 * DAY
    holds: timedelta = 400 * DAY
    plans: timedelta = 90 * DAY
    extracts: timedelta = 90 * DAY
    shadow_runs: timedelta = 30 * DAY
    waiting: timedelta = 400 * DAY
    set_aside: timedelta = 400 * DAY
    old_files: timedelta = 2 * DAY


_DEFAULT = Retention()

LEAST: Mapping[str, tuple[timedelta, str]] = {
    "stages": (DAY, "somebody may still clear a task of today"),
    "runs": (7 * DAY, "people ask what last week's runs did"),
    "deltas": (7 * DAY, "`rescore explain` tells what moved a score"),
    "crossings": (28 * DAY, "the gate compares a run with the last 28 days"),
    "deliveries": (7 * DAY, "people ask what became of last week's"),
    "delivery_bodies": (DAY, "a receiver may lose what it got today"),
    "attempts": (DAY, "back-off alone takes most of a day"),
    "overrides": (DAY, "people ask who ended one"),
    "holds": (7 * DAY, "people ask who answered last week"),
    "plans": (8 * DAY, "the gate clears away the results of a week's plans first"),
    "extracts": (35 * DAY, "an extract is compared with the same hours of four weeks"),
    "shadow_runs": (2 * DAY, "a shadow is compared since its last run over everybody"),
    "waiting": (DAY, "leads come after their first activities"),
    "set_aside": (DAY, "people look into what was set aside"),
    "old_files": (6 * HOUR, "a task may read for hours"),
}
"""The shortest each may be kept, because something looks back so far."""

DELTA_REMEMBERS = 7 * DAY
"""So long the lake's own log knows when a file was replaced; after that only how old the file is."""


class RetentionFile(StrictMap):
    """What the file says; the rest is as `Retention` has it."""

    listed_in: ClassVar = "docs/operations.md"

    stages: Span = _DEFAULT.stages
    runs: Span = _DEFAULT.runs
    deltas: Span = _DEFAULT.deltas
    crossings: Span = _DEFAULT.crossings
    deliveries: Span = _DEFAULT.deliveries
    delivery_bodies: Span = _DEFAULT.delivery_bodies
    attempts: Span = _DEFAULT.attempts
    overrides: Span = _DEFAULT.overrides
    holds: Span = _DEFAULT.holds
    plans: Span = _DEFAULT.plans
    extracts: Span = _DEFAULT.extracts
    shadow_runs: Span = _DEFAULT.shadow_runs
    waiting: Span = _DEFAULT.waiting
    set_aside: Span = _DEFAULT.set_aside
    old_files: Span = _DEFAULT.old_files

    @field_validator("*", mode="after")
    @classmethod
    def _long_enough(cls, span: timedelta, info: ValidationInfo) -> timedelta:
        least, because = LEAST[str(info.field_name)]
        if span < least:
            refuse(f"`{{name}}` is {written(span)}, and at least {written(least)} are needed: {because}")
        if info.field_name == "old_files" and span > DELTA_REMEMBERS:
            refuse(
                f"`{{name}}` is {written(span)}, and the lake's own log remembers files for "
                f"{written(DELTA_REMEMBERS)} only; write `7d` or less"
            )
        return span

    @model_validator(mode="after")
    def _what_can_be_sent_again_is_known_with_its_attempts(self) -> Self:
        bodies = written(self.delivery_bodies)
        for name in ("attempts", "deliveries"):
            if getattr(self, name) < self.delivery_bodies:
                refuse(
                    f"`{name}` is {written(getattr(self, name))}, and `delivery_bodies` {bodies}: what can "
                    f"be sent again has to be known with all its attempts; write `{bodies}` or more",
                    name,
                )
        return self

    def built(self) -> Retention:
        """As the rest of the build reads it."""
        return Retention(**{name: getattr(self, name) for name in asdict(_DEFAULT)})
