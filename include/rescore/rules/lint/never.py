"""Rules and entries that can never count, because what they ask for contradicts itself or comes too late."""

from __future__ import annotations

from collections.abc import Iterator

from rescore.rules import readable
from rescore.rules.card import (
    ALWAYS,
    AllOf,
    Burst,
    Comparison,
    Condition,
    FirstOfRule,
    Not,
    Operator,
    Scorecard,
)
from rescore.rules.lint.found import Found, facts_conditions
from rescore.rules.lint.logic import always_holds, can_hold, implies


def never(card: Scorecard) -> Iterator[Found]:
    """Conditions without a way to hold, entries behind one that takes everything, an audience of nobody."""
    for asked in facts_conditions(card):
        if asked.condition == ALWAYS or can_hold(asked.condition):
            continue
        if asked.who == "the audience":
            message = "the audience excludes everybody; say whom to exclude"
        else:
            message = (
                f"{asked.who} can never match: {readable.condition(asked.condition)}; take one of them out"
            )
        yield Found(asked.path, "never", message)
    for at, entry in enumerate(card.quarantine):
        if isinstance(entry.pattern, Burst) and (few := _too_few(entry.where, entry.pattern)):
            message = (
                f"quarantine entry `{entry.id}` never takes anything: it asks for {entry.pattern.count} "
                f"different values of `{entry.pattern.field}`, and `where` lets {few} through; ask for fewer"
            )
            yield Found(("quarantine", at, "burst"), "never", message)
    for at, rule in enumerate(card.rules):
        if isinstance(rule, FirstOfRule):
            for index, message in _behind(rule):
                yield Found(("rules", at, "first_of", index), "never", message)


def _too_few(where: Condition, burst: Burst) -> int | None:
    """How many values `where` lets through of the field that is counted, if that is too few."""
    parts = where.parts if isinstance(where, AllOf) else (where,)
    allowed = [
        len(part.values)
        for part in parts
        if isinstance(part, Comparison)
        and part.field == burst.field
        and part.operator in (Operator.EQUALS, Operator.IN)
    ]
    return min((count for count in allowed if count < burst.count), default=None)


def _behind(rule: FirstOfRule) -> Iterator[tuple[int, str]]:
    for index, choice in enumerate(rule.choices):
        before = rule.choices[:index]
        if not before or not can_hold(choice.when):
            continue
        who = f"rule `{rule.id}`: entry {index + 1}, “{choice.label}”, is never taken: "
        wall = next((at for at, one in enumerate(before) if implies(choice.when, one.when)), None)
        if wall is not None:
            what = "always holds" if always_holds(before[wall].when) else "takes every lead it could match"
            yield index, f"{who}entry {wall + 1} {what}; move this one up"
        elif not can_hold(AllOf((choice.when, *(Not(one.when) for one in before)))):
            yield index, f"{who}the entries above take every lead it could match; move it up"
