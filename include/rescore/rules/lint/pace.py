"""How long do points stay? Caps that freeze a score after a busy day, and minus points that never go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rescore.rules import readable
from rescore.rules.card import NO_DECAY, ActivityRule, Dimension, Scorecard
from rescore.rules.lint.found import Found
from rescore.rules.lint.logic import can_hold
from rescore.rules.lint.reach import Reach, rule_reach
from rescore.scoring.worth import worth_table

BUSY_DAY: Final = 100
"""Activities of one kind on one day: somebody who reads everything, or a scanner that opens every link."""
FROZEN: Final = 14
"""Days at the cap from which on a score no longer says what somebody did lately."""


def freezing(card: Scorecard) -> Iterator[Found]:
    """Limits in points, and ceilings, that one busy day keeps reached although each activity fades."""
    dimensions = {dimension.id: dimension for dimension in card.dimensions}
    for at, rule in enumerate(card.rules):
        if not isinstance(rule, ActivityRule) or rule.decay.shape is None or rule.points <= 0:
            continue
        ceiling = dimensions[rule.dimension].range.ceiling
        caps = [cap for cap in (rule.limit.points, ceiling) if cap is not None]
        if not caps or rule.limit.first:
            continue
        cap, activities = min(caps), min(BUSY_DAY, rule.limit.count or BUSY_DAY)
        stays = _days_at(cap, activities, rule)
        if stays >= FROZEN:
            which = "its limit" if cap == rule.limit.points else f"the ceiling of `{rule.dimension}`"
            enough = -(-cap // rule.points)
            text = (
                f"rule `{rule.id}` stays at {which}, {readable.with_unit(cap)}, for {stays} days after a "
                f"busy day ({activities} activities); write `limit: {{count: {enough}}}`, so that it fades"
            )
            yield Found(("rules", at, "limit"), "frozen", text)


def _days_at(cap: int, activities: int, rule: ActivityRule) -> int:
    worth = worth_table(rule.points, rule.decay)
    below = next((age for age, each in enumerate(worth) if activities * each < cap), None)
    return len(worth) if below is None else below


def burying(card: Scorecard) -> Iterator[Found]:
    """Minus points for activities that nothing ever lifts, so that a lead who comes back stays down."""
    dimensions = {dimension.id: dimension for dimension in card.dimensions}
    for at, rule in enumerate(card.rules):
        if not isinstance(rule, ActivityRule) or rule.points >= 0 or not can_hold(rule.where):
            continue
        lasts = rule.decay == NO_DECAY or (
            rule.decay.expires is None and worth_table(rule.points, rule.decay)[-1]
        )
        if not lasts:
            continue
        lowest = rule_reach(rule).low
        if lowest is None:
            text = (
                f"rule `{rule.id}` takes {readable.with_unit(-rule.points)} each time, for good and without "
                "end; write `decay: {expires: 90d}` or `limit: {points: 20}`"
            )
        elif _sinks(card, dimensions[rule.dimension], rule, lowest):
            text = (
                f"rule `{rule.id}` keeps `{rule.dimension}` at its floor for good once it took "
                f"{readable.with_unit(-lowest)}; write `decay: {{expires: 90d}}`"
            )
        else:
            continue
        yield Found(("rules", at, "points"), "buried", text)


def _sinks(card: Scorecard, dimension: Dimension, rule: ActivityRule, lowest: int) -> bool:
    """Whether everything else together cannot lift the dimension off its floor again."""
    others = Reach()
    for other in card.rules:
        if other.dimension == dimension.id and other is not rule:
            others = others.plus(rule_reach(other))
    floor = dimension.range.floor
    return floor is not None and others.high is not None and others.high > floor >= others.high + lowest
