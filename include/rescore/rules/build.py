"""From the checked file to the frozen scorecard."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rescore.rules.actions import OncePer
from rescore.rules.build_actions import build_action, build_deliver
from rescore.rules.card import (
    ALWAYS,
    NO_DECAY,
    NO_LIMIT,
    ActivityRule,
    Automation,
    Band,
    Burst,
    Choice,
    Decay,
    Dimension,
    Example,
    ExampleActivity,
    FirstOfRule,
    FrequencyRule,
    HalfLife,
    LeadRule,
    Limit,
    Linear,
    Not,
    QuarantineEntry,
    Range,
    Restart,
    Rule,
    Scalar,
    Scorecard,
    SilenceRule,
    SoonAfter,
    Steps,
    ValueList,
)
from rescore.rules.example_file import ExampleFile
from rescore.rules.file import AutomationFile, RangeFile, ScorecardFile
from rescore.rules.moments import end_of, start_of
from rescore.rules.names import Names
from rescore.rules.quarantine_file import QuarantineFile
from rescore.rules.rule_file import (
    PERSON,
    ActivityRuleFile,
    DecayFile,
    FirstOfRuleFile,
    FrequencyFile,
    FrequencyRuleFile,
    LeadRuleFile,
    LimitFile,
    RuleFile,
    SilenceRuleFile,
)
from rescore.strict.yaml import Document


def build_scorecard(file: ScorecardFile, document: Document, names: Names) -> Scorecard:
    """Nothing can be wrong any more: only defaults are filled in and names made into types."""
    zone = ZoneInfo(file.timezone)
    return Scorecard(
        id=file.scorecard,
        description=file.description or "",
        timezone=zone,
        total=_range(file.score),
        dimensions=tuple(
            Dimension(name, _range(dimension), dimension.in_total)
            for name, dimension in file.dimensions.items()
        ),
        rules=tuple(_rule(rule, document.where(("rules", at))[0]) for at, rule in enumerate(file.rules)),
        audience=Not(file.audience.exclude) if file.audience else ALWAYS,
        bands=tuple(
            Band(name, bound)
            for name, bound in sorted(file.bands.items(), key=lambda band: band[1], reverse=True)
        ),
        automations=tuple(
            _automation(automation, zone, document.where(("automations", at))[0])
            for at, automation in enumerate(file.automations)
        ),
        examples=tuple(
            _example(example, zone, document.where(("examples", at))[0])
            for at, example in enumerate(file.examples)
        ),
        grades=file.grades,
        restart=_restart(file, document),
        quarantine=tuple(
            _quarantine_entry(entry, document.where(("quarantine", at))[0])
            for at, entry in enumerate(file.quarantine)
        ),
        lists=tuple(ValueList(name, path, names.lists[name]) for name, path in file.lists.items()),
    )


def _restart(file: ScorecardFile, document: Document) -> Restart | None:
    restart = file.restart
    if restart is None:
        return None
    return Restart(
        activities=restart.activity,
        where=ALWAYS if restart.where is None else restart.where,
        dimensions=tuple(restart.dimensions or file.dimensions),
        keep=restart.keep,
        line=document.where(("restart",))[0],
    )


def _quarantine_entry(file: QuarantineFile, line: int) -> QuarantineEntry:
    pattern: Burst | SoonAfter | None = None
    if file.burst:
        pattern = Burst(file.burst.count, file.burst.within, file.burst.distinct)
    elif file.soon_after:
        pattern = SoonAfter(file.soon_after.activity, file.soon_after.within)
    return QuarantineEntry(
        id=file.id,
        label=file.label or _readable(file.id),
        activities=file.activity,
        where=ALWAYS if file.where is None else file.where,
        line=line,
        pattern=pattern,
    )


def _range(file: RangeFile) -> Range:
    return Range(file.floor, file.ceiling)


def _rule(file: RuleFile, line: int) -> Rule:
    label = file.label or _readable(file.id)
    named: dict[str, Any] = {"id": file.id, "label": label, "dimension": file.dimension, "line": line}
    match file:
        case ActivityRuleFile():
            return ActivityRule(
                **named,
                **_activities(file),
                points=file.points,
                limit=_limit(file.limit),
                decay=_decay(file.decay),
            )
        case FrequencyRuleFile():
            return FrequencyRule(
                **named, **_activities(file), **_frequency(file.frequency), points=file.points
            )
        case SilenceRuleFile():
            return SilenceRule(**named, **_activities(file), none_within=file.none_within, points=file.points)
        case LeadRuleFile():
            return LeadRule(**named, condition=file.lead, points=file.points)
        case FirstOfRuleFile():
            choices = tuple(Choice(entry.when, entry.points, entry.label or label) for entry in file.first_of)
            return FirstOfRule(**named, choices=choices)


def _activities(file: ActivityRuleFile | FrequencyRuleFile | SilenceRuleFile) -> dict[str, Any]:
    where = ALWAYS if file.where is None else file.where
    return {"activities": file.activity, "where": where, "scope": file.scope}


def _limit(file: LimitFile | None) -> Limit:
    if file is None:
        return NO_LIMIT
    return Limit(first=bool(file.first), count=file.count, per_day=file.per is not None, points=file.points)


def _decay(file: DecayFile | None) -> Decay:
    if file is None:
        return NO_DECAY
    shape: HalfLife | Linear | Steps | None = None
    if file.half_life is not None:
        shape = HalfLife(file.half_life)
    elif file.linear is not None:
        shape = Linear(file.linear)
    elif file.steps is not None:
        shape = Steps(tuple((step.after, step.keep) for step in file.steps))
    return Decay(shape, file.expires)


def _frequency(file: FrequencyFile) -> dict[str, Any]:
    measure = "days" if file.days is not None else "count" if file.distinct is None else "distinct"
    people = file.distinct == PERSON
    return {
        "measure": "people" if people else measure,
        "field": None if people else file.distinct,
        "at_least": file.days or file.count,
        "within": file.within,
    }


def _automation(file: AutomationFile, zone: ZoneInfo, line: int) -> Automation:
    once = file.once_per
    return Automation(
        id=file.id,
        label=file.label or _readable(file.id),
        fire_when=file.fire_when,
        ready_again_when=file.ready_again_when,
        actions=tuple(build_action(action) for action in file.do),
        line=line,
        on_rules_change=file.on_rules_change,
        first_seen=file.first_seen,
        already_past=file.already_past,
        already_fired=file.already_fired,
        unless=file.unless,
        cooldown=file.cooldown,
        max_age=file.max_age,
        max_per_run=file.max_per_run,
        max_per_day=file.max_per_day,
        group=file.group,
        once_per=None if once is None else OncePer(once.key, once.within, once.unless_in),
        deliver=None if file.deliver is None else build_deliver(file.deliver, zone),
    )


def _example(file: ExampleFile, zone: ZoneInfo, line: int) -> Example:
    return Example(
        name=file.name,
        as_of=end_of(file.as_of, zone),
        lead=tuple((field, _exact(value)) for field, value in file.lead.items()),
        activities=_example_activities(file.activities, zone),
        expect=tuple(file.expect.items()),
        line=line,
        colleagues=tuple(_example_activities(one.activities, zone) for one in file.colleagues),
    )


def _example_activities(given: list[dict[str, Scalar]], zone: ZoneInfo) -> tuple[ExampleActivity, ...]:
    return tuple(
        ExampleActivity(
            type=str(activity["type"]),
            at=start_of(str(activity["at"]), zone),
            fields=tuple(
                (field, _exact(value)) for field, value in activity.items() if field not in {"type", "at"}
            ),
        )
        for activity in given
    )


def _exact(value: Scalar) -> Scalar:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _readable(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
