"""What an edit does to the thresholds: bands, grades, automations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rescore.rules import readable
from rescore.rules import readable_actions as said
from rescore.rules.card import ALWAYS, Automation, Band, Comparison, Condition, Grades, Operator
from rescore.rules.diff.change import Change, differ, paired, turned
from rescore.rules.diff.conditions import condition_changes

WAYS = {"on_rules_change": "on a rules change:", "first_seen": "first seen:", "already_past": "already past:"}
COUNTS = {"max_per_run": "at most in one run:", "max_per_day": "at most in one day:"}
SPANS = {"cooldown": "cooldown", "max_age": "max age"}


def band_changes(old: tuple[Band, ...], new: tuple[Band, ...], *, of: str = "") -> Iterator[Change]:
    """Bands that came, went, moved or got another name; `of` a graded dimension, else of the total."""
    lost = {band.bound: band.id for band in old if band.id not in {other.id for other in new}}
    for name, before, after in paired(old, new, lambda band: band.id):
        where = f"{of} grade {name}" if of else f"band {name}"
        if after is None:
            if before is not None and before.bound in lost:
                yield Change("thresholds", where, "is gone")
        elif before is None:
            renamed = lost.pop(after.bound, None)
            text = f"begins at {readable.points(after.bound)}: it is new"
            yield Change("thresholds", where, text if renamed is None else f"is the new name of {renamed}")
        elif before.bound != after.bound:
            moved = f"begins at {readable.points(before.bound)} → {readable.points(after.bound)}"
            yield Change("thresholds", where, moved)


def grade_changes(old: Grades | None, new: Grades | None) -> Iterator[Change]:
    """What an edit does to the grades."""
    if old is None or new is None:
        if old is not new:
            yield Change("thresholds", "grades", "are new" if old is None else "are gone")
        return
    for dimension, before, after in paired(old.dimensions, new.dimensions, lambda entry: entry[0]):
        bands = [entry[1] if entry else () for entry in (before, after)]
        yield from band_changes(bands[0], bands[1], of=dimension)
    if old.label != new.label:
        yield Change("thresholds", "grades", f"are written {old.label} → {new.label}")


def automation_changes(old: tuple[Automation, ...], new: tuple[Automation, ...]) -> Iterator[Change]:
    """Automations that came, went, fire at other moments, do other things or got another label."""
    yield from _orders(old, new)
    for name, before, after in paired(old, new, lambda automation: automation.id):
        if before is None and after is not None:
            text = f"is new: fires when {readable.condition(after.fire_when)}"
            yield Change("thresholds", name, text)
        elif after is None:
            yield Change("thresholds", name, "is gone; what it still had to deliver is cancelled")
        elif before is not None:
            yield from (Change("thresholds", name, text) for text in _meaning(before, after))
            if before.label != after.label:
                yield Change("wording", name, f"label “{before.label}” → “{after.label}”")
            if said.texts(before) != said.texts(after) and not differ(before.actions, after.actions):
                yield Change("wording", name, "says something else in its messages")


def _orders(old: tuple[Automation, ...], new: tuple[Automation, ...]) -> Iterator[Change]:
    """Of one group the last automation fires, so that their order means something."""
    for group in dict.fromkeys(automation.group for automation in new if automation.group is not None):
        before, after = ([one.id for one in side if one.group == group] for side in (old, new))
        if [name for name in before if name in after] != [name for name in after if name in before]:
            text = f"takes its automations in another order: {', '.join(after)}"
            yield Change("thresholds", f"group {group}", text)


def _meaning(old: Automation, new: Automation) -> Iterator[str]:
    yield from _fires(old.fire_when, new.fire_when)
    yield from _optional("is ready again when", old.ready_again_when, new.ready_again_when)
    yield from turned("does", old.actions, new.actions, said.actions)
    for name, say in WAYS.items():
        yield from turned(say, getattr(old, name), getattr(new, name), lambda way: way or "as it looks")
    for name, say in COUNTS.items():
        yield from turned(say, getattr(old, name), getattr(new, name), _count)
    for name, say in SPANS.items():
        yield from turned(say, getattr(old, name), getattr(new, name), _span)
    yield from turned("once per", old.once_per, new.once_per, said.once_per)
    yield from turned("delivers", old.deliver, new.deliver, said.deliver)
    yield from turned("group", old.group, new.group, lambda group: group or "none")
    yield from _optional("does not fire where", old.unless, new.unless)
    yield from _optional("counts as fired already where", old.already_fired, new.already_fired)


def _fires(old: Condition, new: Condition) -> Iterator[str]:
    for text in condition_changes("fires when", old, new):
        yield text.replace("when score at least ", "at ", 1) if " → " in text and _plain(old, new) else text


def _plain(*conditions: Condition) -> bool:
    """Whether each of them asks the score for one lower bound: then a bare number says it."""
    return all(
        sum(part.field == "score" for part in _comparisons(condition)) == 1
        and all(part.operator is Operator.AT_LEAST for part in _comparisons(condition))
        for condition in conditions
    )


def _comparisons(condition: Condition) -> list[Comparison]:
    parts = condition.parts if hasattr(condition, "parts") else (condition,)
    return [part for part in parts if isinstance(part, Comparison)]


def _optional(word: str, old: Condition | None, new: Condition | None) -> Iterator[str]:
    if old is None and new is not None:
        yield f"{word} {readable.condition(new)}: that is new"
    elif new is None and old is not None:
        yield f"{word} {readable.condition(old)}: that is gone"
    else:
        yield from condition_changes(word, old or ALWAYS, new or ALWAYS)


def _count(count: int | None) -> str:
    return "as usual" if count is None else f"{count:,}"


def _span(length: Any) -> str:
    return "none" if length is None else readable.days(length)
