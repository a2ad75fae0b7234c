"""The scorecard that is measured: 20 activity rules with limits and decay, 10 attribute rules."""

from zoneinfo import ZoneInfo

from rescore.rules.card import (
    ALWAYS,
    ActivityRule,
    Band,
    Decay,
    Dimension,
    HalfLife,
    LeadRule,
    Limit,
    Linear,
    Range,
    Rule,
    Scorecard,
)
from tests.bench.world import TYPES
from tests.scoring.builders import compares

COUNTS = [3, 4, 5, 6, 8, 10]
HALF_LIVES = [7, 14, 21, 30, 45, 60, 90]


def _activity_rule(index: int) -> ActivityRule:
    section = compares("starts_with", f"/section{index % 20}/", field="asset")
    decay = Decay(Linear(30 + 5 * index)) if index % 5 == 4 else Decay(HalfLife(HALF_LIVES[index % 7]))
    return ActivityRule(
        id=f"activity_{index:02}",
        label=f"Activity {index}",
        dimension="engagement",
        line=1,
        activities=(TYPES[index % 12],),
        where=section if index % 3 == 0 else ALWAYS,
        points=1000 + 250 * index,
        limit=Limit(count=COUNTS[index % 6]),
        decay=decay,
    )


_CONDITIONS = [
    (compares("has_word", "cto", field="job_title"), 30_000),
    (compares("has_any_word", "vp", "head of", field="job_title"), 20_000),
    (compares("has_word", "student", field="job_title"), -20_000),
    (compares("exists", False, field="job_title"), -5_000),
    (compares("in", "germany", "france", field="country"), 10_000),
    (compares("contains", "united", field="country"), 5_000),
    (compares("at_least", 1000, field="employees"), 15_000),
    (compares("between", 50, 999, field="employees"), 10_000),
    (compares("below", 5, field="employees"), -10_000),
    (compares("is", True, field="opted_out"), -25_000),
]


def bench_card() -> Scorecard:
    """30 rules in two dimensions, in Berlin's days."""
    rules: list[Rule] = [_activity_rule(index) for index in range(20)]
    for index, (condition, points) in enumerate(_CONDITIONS):
        name = f"attribute_{index}"
        rules.append(
            LeadRule(id=name, label=name, dimension="fit", line=1, condition=condition, points=points)
        )
    return Scorecard(
        id="bench",
        description="",
        timezone=ZoneInfo("Europe/Berlin"),
        total=Range(0, 200_000),
        dimensions=(Dimension("engagement", Range(0, 120_000)), Dimension("fit", Range(-40_000, 80_000))),
        rules=tuple(rules),
        audience=ALWAYS,
        bands=(Band("A", 120_000), Band("B", 80_000), Band("C", 40_000), Band("D", 0)),
        automations=(),
    )
