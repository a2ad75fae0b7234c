"""How high and how low can a score get? Thresholds beyond that are never met, or always."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rescore.model import MILLI
from rescore.rules import readable
from rescore.rules.card import (
    ActivityRule,
    AllOf,
    AnyOf,
    Band,
    Comparison,
    Condition,
    FirstOfRule,
    FrequencyRule,
    Kind,
    LeadRule,
    Not,
    Operator,
    Range,
    Rule,
    Scorecard,
    SilenceRule,
)
from rescore.rules.lint.found import Found, comparisons
from rescore.rules.lint.logic import can_hold
from rescore.scoring.worth import worth_table
from rescore.strict.model import Path


@dataclass(frozen=True, slots=True)
class Reach:
    """The lowest and the highest sum that can come about, in thousandths; None is without end."""

    low: int | None = 0
    high: int | None = 0

    def plus(self, other: Reach) -> Reach:
        """Both together."""
        return Reach(_sum(self.low, other.low), _sum(self.high, other.high))

    def within(self, bounds: Range) -> Reach:
        """Clamped."""
        return Reach(_clamped(self.low, bounds, bounds.floor), _clamped(self.high, bounds, bounds.ceiling))

    def rounded(self) -> Reach:
        """In whole points, as reported; still in thousandths."""
        return Reach(_rounded(self.low), _rounded(self.high))


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _clamped(value: int | None, bounds: Range, end: int | None) -> int | None:
    if value is None:
        return end
    floor = value if bounds.floor is None else max(value, bounds.floor)
    return floor if bounds.ceiling is None else min(floor, bounds.ceiling)


def _rounded(value: int | None) -> int | None:
    if value is None:
        return None
    whole = (abs(value) + MILLI // 2) // MILLI * MILLI
    return whole if value >= 0 else -whole


def rule_reach(rule: Rule) -> Reach:
    """What one rule can give."""
    match rule:
        case ActivityRule():
            return _activity_reach(rule)
        case FirstOfRule(choices=choices):
            given = [choice.points for choice in choices if can_hold(choice.when)]
            return Reach(min([0, *given]), max([0, *given]))
        case LeadRule(condition=condition) | FrequencyRule(where=condition) | SilenceRule(where=condition):
            given_once = rule.points if can_hold(condition) else 0
            return Reach(min(0, given_once), max(0, given_once))


def _activity_reach(rule: ActivityRule) -> Reach:
    if not rule.points or not can_hold(rule.where):
        return Reach()
    worth, limit = worth_table(rule.points, rule.decay), rule.limit
    most: int | None = None
    if limit.first:
        most = worth[0]
    elif limit.count is not None:
        per_age = [limit.count * at_age for at_age in worth]
        most = (None if worth[-1] else sum(per_age)) if limit.per_day else per_age[0]
    if limit.points is not None:
        bound = limit.points if rule.points > 0 else -limit.points
        most = bound if most is None else min(most, bound, key=abs)
    return Reach(0, most) if rule.points > 0 else Reach(most, 0)


def dimension_reaches(card: Scorecard) -> dict[str, Reach]:
    """Dimension -> what it can be, before rounding."""
    reaches: dict[str, Reach] = {}
    for dimension in card.dimensions:
        reach = Reach()
        for rule in card.rules:
            if rule.dimension == dimension.id:
                reach = reach.plus(rule_reach(rule))
        reaches[dimension.id] = reach.within(dimension.range)
    return reaches


def total_reach(card: Scorecard, reaches: dict[str, Reach]) -> Reach:
    """What the score can be, before rounding."""
    total = Reach()
    for dimension in card.dimensions:
        if dimension.in_total:
            total = total.plus(reaches[dimension.id])
    return total.within(card.total)


def out_of_reach(card: Scorecard) -> Iterator[Found]:
    """Bands and grades nobody can have, automations that can never fire or be ready again, or always are."""
    reaches = dimension_reaches(card)
    total = total_reach(card, reaches).rounded()
    yield from _bands(card.bands, total, ("bands",), "score")
    for dimension, bands in card.grades.dimensions if card.grades else ():
        yield from _bands(bands, reaches[dimension].rounded(), ("grades", dimension), dimension)
    whole = {name: reach.rounded() for name, reach in reaches.items()} | {"score": total}
    possible = AllOf(tuple(_possible(name, reach) for name, reach in whole.items()))
    for at, automation in enumerate(card.automations):
        fires = in_numbers(automation.fire_when, card.bands)
        who, path = f"automation `{automation.id}`", ("automations", at)
        asked = readable.condition(automation.fire_when)
        if not can_hold(AllOf((possible, fires))):
            yield Found(
                (*path, "fire_when"), "unreachable", f"{who} can never fire: {asked}; {_range(total)}"
            )
            continue
        if not can_hold(AllOf((possible, Not(fires)))):
            yield Found(
                (*path, "fire_when"), "unreachable", f"{who} holds for everybody: {asked}; {_range(total)}"
            )
        if automation.ready_again_when is None:
            continue
        ready = in_numbers(automation.ready_again_when, card.bands)
        if not can_hold(AllOf((possible, ready))):
            asked = readable.condition(automation.ready_again_when)
            text = f"{who} can never be ready again: {asked}; {_range(total)}"
            yield Found((*path, "ready_again_when"), "unreachable", text)
        elif not _graded(fires, ready) and can_hold(AllOf((possible, fires, ready))):
            text = (
                f"{who} gets ready again while `fire_when` still holds, and fires again; keep the two apart"
            )
            yield Found((*path, "ready_again_when"), "flapping", text)


def unreachable(card: Scorecard) -> tuple[str, ...]:
    """The thresholds that no lead can reach, as sentences."""
    return tuple(found.message for found in out_of_reach(card) if found.code == "unreachable")


def _graded(*conditions: Condition) -> bool:
    """Whether a grade is asked for, which cannot be said in numbers."""
    return any(one.field == "grade" for condition in conditions for one in comparisons(condition))


def _range(total: Reach) -> str:
    if total.low is None and total.high is None:
        return "change it or take it out"
    low, high = (readable.bound(end) if end is not None else "any number" for end in (total.low, total.high))
    return f"the score goes from {low} to {high}"


def _bands(bands: tuple[Band, ...], reach: Reach, path: Path, what: str) -> Iterator[Found]:
    above: Band | None = None
    for band in bands:
        if reach.high is not None and _lowest(band) > reach.high:
            text = (
                f"begins at {readable.points(band.bound)}, and the most that limits, points and ceilings let "
            )
            text += f"{what} reach is {readable.points(reach.high)}; lower it"
            yield Found((*path, band.id), "unreachable", f"band `{band.id}` {text}")
        elif above is not None and reach.low is not None and _lowest(above) <= reach.low:
            text = f"is empty: {what} is never below {readable.points(reach.low)}, where `{above.id}` begins"
            yield Found((*path, band.id), "unreachable", f"band `{band.id}` {text}; take it out")
        above = band


def _lowest(band: Band) -> int:
    """The lowest whole points in a band, in thousandths."""
    return -(-band.bound // MILLI) * MILLI


def _possible(name: str, reach: Reach) -> Condition:
    ends = ((Operator.AT_LEAST, reach.low), (Operator.AT_MOST, reach.high))
    return AllOf(tuple(_number(name, operator, end) for operator, end in ends if end is not None))


def _number(name: str, operator: Operator, thousandths: int) -> Comparison:
    return Comparison(name, operator, Kind.NUMBER, (Decimal(thousandths) / MILLI,))


def in_numbers(condition: Condition, bands: tuple[Band, ...]) -> Condition:
    """A condition over scores with bands said as ranges of the score."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(in_numbers(part, bands) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(in_numbers(part, bands) for part in parts))
        case Not(part):
            return Not(in_numbers(part, bands))
        case Comparison(field="band"):
            return AnyOf(tuple(_band_range(str(value), bands) for value in condition.values))
        case Comparison():
            return condition


def _band_range(name: str, bands: tuple[Band, ...]) -> Condition:
    at = next(index for index, band in enumerate(bands) if band.id == name)
    inside = [_number("score", Operator.AT_LEAST, bands[at].bound)]
    if at:
        inside.append(_number("score", Operator.BELOW, bands[at - 1].bound))
    return AllOf(tuple(inside))
