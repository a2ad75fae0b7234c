"""Rules that count the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from rescore.rules import readable
from rescore.rules.card import (
    ActivityRule,
    FirstOfRule,
    FrequencyRule,
    LeadRule,
    Rule,
    Scorecard,
    SilenceRule,
)
from rescore.rules.lint.found import Found
from rescore.rules.lint.logic import can_hold, implies


def overlapping(card: Scorecard) -> Iterator[Found]:
    """Pairs of rules of one kind and dimension, of which one counts all that the other does."""
    place = {rule.id: at for at, rule in enumerate(card.rules)}
    for one, other in combinations([rule for rule in card.rules if _counts(rule)], 2):
        if one.dimension != other.dimension:
            continue
        forth, back = _within(one, other), _within(other, one)
        narrow, wide = (one, other) if forth else (other, one)
        if forth and back:
            text = f"rule `{other.id}` counts what `{one.id}` does"
        elif forth or back:
            text = f"what rule `{narrow.id}` counts, `{wide.id}` counts too"
        else:
            continue
        both = _together(one, other)
        text += f", {both} in all" * bool(both) + "; merge them, or leave it out of one of them"
        yield Found(("rules", place[other.id]), "overlap", text)


def _counts(rule: Rule) -> bool:
    """Whether a rule can give anything; the first of several entries is compared with nothing."""
    match rule:
        case FirstOfRule():
            return False
        case LeadRule(condition=condition):
            return rule.points != 0 and can_hold(condition)
        case _:
            return rule.points != 0 and can_hold(rule.where)


def _within(narrow: Rule, wide: Rule) -> bool:
    """Whether `wide` gives its points whenever `narrow` does, for the same activity or lead."""
    match narrow, wide:
        case LeadRule(), LeadRule():
            return implies(narrow.condition, wide.condition)
        case ActivityRule(), ActivityRule():
            return _covered(narrow, wide)
        case FrequencyRule(), FrequencyRule():
            asked = [(rule.measure, rule.field, rule.at_least, rule.within) for rule in (narrow, wide)]
            return asked[0] == asked[1] and _covered(narrow, wide)
        case SilenceRule(), SilenceRule():
            same = narrow.none_within == wide.none_within and set(narrow.activities) == set(wide.activities)
            return same and _covered(narrow, wide) and _covered(wide, narrow)
    return False


Counting = ActivityRule | FrequencyRule | SilenceRule


def _covered(narrow: Counting, wide: Counting) -> bool:
    fewer = set(narrow.activities) <= set(wide.activities) and narrow.scope == wide.scope
    return fewer and implies(narrow.where, wide.where)


def _together(one: Rule, other: Rule) -> str:
    match one, other:
        case (LeadRule(points=a), LeadRule(points=b)) | (ActivityRule(points=a), ActivityRule(points=b)):
            return readable.with_unit(a + b)
    return ""
