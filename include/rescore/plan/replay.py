"""How often would automations have fired in the last eight weeks, under the old rules and the new?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow.compute as pc

from rescore.lake.tables import place_of
from rescore.plan.columns import Flags, count, true_where
from rescore.plan.effects import Both
from rescore.plan.plan import Replay, Week
from rescore.rules.card import Automation, Not, Scorecard
from rescore.scoring.facts import Facts
from rescore.scoring.pair import OLD
from rescore.scoring.several_moments import score_pair_at

WEEKS = 8
EVERYBODY_UP_TO = 2_000
SHARE = 20
"""Of more leads than that, one in so many is replayed."""


@dataclass(frozen=True)
class Replayed:
    """The weeks of every automation, scaled up to everybody where only a sample was replayed."""

    who: Replay
    weeks: Mapping[str, tuple[Week, ...]]


def sample(leads: Sequence[str]) -> Sequence[str]:
    """The leads to replay: everybody, or those whose hashes are the lowest; they lie together in the lake."""
    if len(leads) <= EVERYBODY_UP_TO:
        return leads
    wanted = max(EVERYBODY_UP_TO, len(leads) // SHARE)
    return sorted(leads, key=lambda lead: (place_of(lead), lead))[:wanted]


def replayed(old: Scorecard, new: Scorecard, facts: Facts, *, as_of: datetime, everybody: int) -> Replayed:
    """Score the leads of `facts` at nine weekly moments and step the automations from one to the next.

    Facts are taken as they are known now, and an automation begins in the state that its first moment puts
    it in. Limits, cool-downs and conditions on leads are left out: it counts how often a condition comes
    true.

    Args:
        old: The rules in force.
        new: The rules that may follow.
        facts: Those of the leads to replay.
        as_of: The last moment.
        everybody: How many leads these stand for.
    """
    moments = [as_of - timedelta(weeks=back) for back in range(WEEKS, -1, -1)]
    scored = [Both(old, new, rows, {}) for rows in score_pair_at(old, new, facts, moments)]
    who = Replay(scored[0].rows.num_rows, everybody)
    scale = everybody / max(1, who.leads)
    sides = {
        automation: [_stepped(side, prefix, automation, scored) for side, prefix in ((old, OLD), (new, ""))]
        for automation in dict.fromkeys(each.id for card in (new, old) for each in card.automations)
    }
    return Replayed(
        who,
        {
            name: tuple(
                Week(
                    moment,
                    old=round(before[week][0] * scale),
                    new=round(after[week][0] * scale),
                    old_ready=round(before[week][1] * scale),
                    new_ready=round(after[week][1] * scale),
                )
                for week, moment in enumerate(moments[1:])
            )
            for name, (before, after) in sides.items()
        },
    )


def _stepped(card: Scorecard, prefix: str, name: str, scored: Sequence[Both]) -> list[tuple[int, int]]:
    """For each moment after the first, how many leads fire an automation, and how many are ready again."""
    automation = next((each for each in card.automations if each.id == name), None)
    if automation is None:
        return [(0, 0)] * (len(scored) - 1)
    fired, _ = _where(automation, prefix, scored[0])
    steps = []
    for both in scored[1:]:
        fires, ready = _where(automation, prefix, both)
        crosses, again = pc.and_(pc.invert(fired), fires), pc.and_(fired, ready)
        fired = pc.or_(crosses, pc.and_(fired, pc.invert(again)))
        steps.append((count(crosses), count(again)))
    return steps


def _where(automation: Automation, prefix: str, both: Both) -> tuple[Flags, Flags]:
    """Who has a score and fires, and who is ready again; frozen without a score."""
    again = automation.ready_again_when
    scored = pc.is_valid(both.rows[prefix + "score"])
    conditions = automation.fire_when, Not(automation.fire_when) if again is None else again
    fires, ready = (
        pc.and_(scored, true_where(condition, lambda name: both.column(prefix + name), both.rows.num_rows))
        for condition in conditions
    )
    return fires, ready
