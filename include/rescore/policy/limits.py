"""How much may happen without asking a person? Pure: what would happen and the limits in, a verdict out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from rescore.rules.card import OnRulesChange


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that hold for one scorecard; the defaults are those of `include/policy.yaml`.

    A stage is held when more already banded leads change band than the greater of `band_moves` and
    `band_moves_share` of them, or when a stream of at least `extract_rows` expected rows brought less than
    `extract_share` of them; a rules change also when it would take back too many deliveries. An automation
    is held when more of its crossings would fire than its own `max_per_run`, else than the greater of
    `crossings` and `crossings_times_usual` its usual daily number.
    What a person approved may have grown by `growth` until it is promoted.
    """

    band_moves: int = 200
    band_moves_share: Fraction = Fraction(1, 5)
    crossings: int = 25
    crossings_times_usual: Fraction = Fraction(3)
    extract_rows: int = 100
    extract_share: Fraction = Fraction(1, 2)
    growth: Fraction = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class AutomationMeasure:
    """What one automation would do, and what it usually does.

    `crossings` would fire if nothing were held; `by_rules` of them only because the rules change.
    `usual_daily` fired a day lately, `fired_today` in the last 24 hours. `cancelled` deliveries are still due
    and would be taken back because a rules change removes the automation.
    """

    automation: str
    crossings: int
    by_rules: int = 0
    usual_daily: float = 0.0
    fired_today: int = 0
    max_per_run: int | None = None
    max_per_day: int | None = None
    on_rules_change: OnRulesChange = "gate"
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class ExtractMeasure:
    """How many rows a source's stream brought, and how many its history predicts for that window."""

    source: str
    stream: str
    seen: int
    expected: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What a stage, or a planned rules change, would do, as counts.

    `banded` leads had a band before, `band_moves` of them get another one or none; `first_bands` leads
    had none, which is counted apart and never held.
    """

    banded: int
    band_moves: int
    first_bands: int = 0
    automations: tuple[AutomationMeasure, ...] = ()
    extracts: tuple[ExtractMeasure, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values; `Measures.read` gives the same measures back."""
        return asdict(self)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Measures:
        """From what `as_json` gave."""
        return cls(
            banded=plain["banded"],
            band_moves=plain["band_moves"],
            first_bands=plain["first_bands"],
            automations=tuple(AutomationMeasure(**item) for item in plain["automations"]),
            extracts=tuple(ExtractMeasure(**item) for item in plain["extracts"]),
        )


@dataclass(frozen=True, slots=True)
class OverLimit:
    """One automation whose crossings wait for a person: all of them, or those that only the rules caused."""

    automation: str
    crossings: int
    limit: int
    reason: str
    only_by_rules: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the whole stage is held (empty: it is not), and which automations are held on their own."""

    stage_reasons: tuple[str, ...] = ()
    automations: tuple[OverLimit, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Everything that asks for a person, as sentences."""
        return (*self.stage_reasons, *(over.reason for over in self.automations))


def judge(measures: Measures, limits: Limits, *, approved: Measures | None = None) -> Verdict:
    """Compare what would happen with the limits.

    Args:
        measures: What would happen.
        limits: The limits of this scorecard.
        approved: What a person saw and released: every limit is at least that, and a little more
            (`limits.growth`), so that the same thing is not held twice and a worse one is.
    """
    return Verdict(
        stage_reasons=(
            *_band_moves(measures, limits, approved),
            *_extracts(measures, limits, approved),
            *_cancelled(measures, limits, approved),
        ),
        automations=tuple(
            over
            for automation in measures.automations
            if (over := _automation(automation, limits, _approved_of(automation, approved))) is not None
        ),
    )


def band_move_limit(banded: int, limits: Limits) -> int:
    """How many of so many banded leads may change band."""
    return max(limits.band_moves, math.floor(limits.band_moves_share * banded))


def crossing_limit(automation: AutomationMeasure, limits: Limits) -> int:
    """How many crossings of an automation may fire in one run."""
    if automation.max_per_run is not None:
        return automation.max_per_run
    usual = limits.crossings_times_usual * Fraction(automation.usual_daily)
    return max(limits.crossings, math.floor(usual))


def _band_moves(measures: Measures, limits: Limits, approved: Measures | None) -> list[str]:
    limit = band_move_limit(measures.banded, limits)
    if approved is not None:
        limit = max(limit, _grown(approved.band_moves, limits))
    if measures.band_moves <= limit:
        return []
    return [
        f"{measures.band_moves:,} of {measures.banded:,} banded leads change band; "
        f"{limit:,} may without asking"
    ]


def _extracts(measures: Measures, limits: Limits, approved: Measures | None) -> list[str]:
    seen_before = {} if approved is None else {(e.source, e.stream): e.seen for e in approved.extracts}
    return [
        f"{extract.source}/{extract.stream} brought {extract.seen:,} rows where about "
        f"{round(extract.expected):,} are usual"
        for extract in measures.extracts
        if extract.expected >= limits.extract_rows
        and extract.seen < limits.extract_share * Fraction(extract.expected)
        and extract.seen < seen_before.get((extract.source, extract.stream), math.inf)
    ]


def _cancelled(measures: Measures, limits: Limits, approved: Measures | None) -> list[str]:
    """Removing an automation counts like its crossings; nobody could hold it once the rules are in force."""
    return [
        f"removing `{automation.automation}` would take back {automation.cancelled:,} deliveries "
        "that are still due"
        for automation in measures.automations
        if automation.cancelled > crossing_limit(automation, limits)
        and (
            (seen := _approved_of(automation, approved)) is None
            or automation.cancelled > _grown(seen.cancelled, limits)
        )
    ]


def _automation(
    automation: AutomationMeasure, limits: Limits, approved: AutomationMeasure | None
) -> OverLimit | None:
    name, limit = automation.automation, crossing_limit(automation, limits)
    counted, released = automation.crossings, 0
    if automation.on_rules_change == "fire" and automation.max_per_run is None:
        counted -= automation.by_rules
    if approved is not None:
        released = _grown(approved.crossings, limits)
    if counted > max(limit, released):
        reason = f"`{name}` would fire {counted:,} times; {limit:,} a run may without asking"
        return OverLimit(name, counted, limit, reason)
    per_day = automation.max_per_day
    if per_day is not None and counted and counted > released and counted + automation.fired_today > per_day:
        reason = (
            f"`{name}` would fire {counted:,} times after {automation.fired_today:,} in the last 24 hours; "
            f"its `max_per_day` is {per_day:,}"
        )
        return OverLimit(name, counted, max(0, per_day - automation.fired_today), reason)
    if automation.on_rules_change == "hold" and automation.by_rules > released:
        reason = f"`{name}` holds what only new rules cause: {automation.by_rules:,} crossings"
        return OverLimit(name, automation.by_rules, 0, reason, only_by_rules=True)
    return None


def _approved_of(automation: AutomationMeasure, approved: Measures | None) -> AutomationMeasure | None:
    if approved is None:
        return None
    return next((a for a in approved.automations if a.automation == automation.automation), None)


def _grown(number: int, limits: Limits) -> int:
    return math.floor(number * (1 + limits.growth))
