"""What an edit does to the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rescore.rules import readable
from rescore.rules.card import (
    ActivityRule,
    Choice,
    Decay,
    FirstOfRule,
    FrequencyRule,
    LeadRule,
    Rule,
    SilenceRule,
)
from rescore.rules.diff.change import Change, differ, exchanged, paired, turned
from rescore.rules.diff.conditions import condition_changes


def rule_changes(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Change]:
    """Rules that came, went, moved, count differently or got another label."""
    lost = [rule for rule in old if rule.id not in {other.id for other in new}]
    for name, before, after in paired(old, new, lambda rule: rule.id):
        if before is None and after is not None:
            before = next((rule for rule in lost if not differ(replace(rule, id=name), after)), None)
            if before is None:
                yield Change("scoring", name, f"is new in {after.dimension}: {readable.rule(after)}")
                continue
            lost.remove(before)
            yield Change("scoring", name, f"is the new name of {before.id}")
        elif after is None and before is not None:
            if before in lost:
                text = f"is gone from {before.dimension}: {readable.rule(before)}"
                yield Change("scoring", name, text)
            continue
        if before is not None and after is not None:
            yield from (Change("scoring", name, text) for text in _meaning(before, after))
            yield from (Change("wording", name, text) for text in _labels(before, after))


def _labels(old: Rule, new: Rule) -> Iterator[str]:
    if old.label != new.label:
        yield f"label “{old.label}” → “{new.label}”"
    if isinstance(old, FirstOfRule) and isinstance(new, FirstOfRule) and not differ(old.choices, new.choices):
        for before, after in zip(old.choices, new.choices, strict=True):
            if before.label != after.label:
                yield f"entry “{before.label}” → “{after.label}”"


def _meaning(old: Rule, new: Rule) -> Iterator[str]:
    if old.dimension != new.dimension:
        yield f"moves from {old.dimension} to {new.dimension}"
    match old, new:
        case ActivityRule(), ActivityRule():
            yield from _points(old, new)
            yield from _what(old, new)
            yield from turned("limit", old.limit, new.limit, readable.limit)
            yield from _decay(old.decay, new.decay)
        case FrequencyRule(), FrequencyRule():
            yield from _points(old, new)
            yield from _what(old, new)
            asked = [(rule.measure, rule.field, rule.at_least, rule.within) for rule in (old, new)]
            if asked[0] != asked[1]:
                yield f"is given {readable.how_often(old)} → {readable.how_often(new)}"
        case SilenceRule(), SilenceRule():
            yield from _points(old, new)
            yield from _what(old, new)
            if old.none_within != new.none_within:
                yield f"after {readable.days(old.none_within)} → {readable.days(new.none_within)} of silence"
        case LeadRule(), LeadRule():
            yield from _points(old, new)
            yield from condition_changes("while", old.condition, new.condition)
        case FirstOfRule(), FirstOfRule():
            if differ(old.choices, new.choices):
                yield from _choices(list(old.choices), list(new.choices))
        case _:
            yield f"counts otherwise: {readable.rule(old)} → {readable.rule(new)}"


WHOSE = {"lead": "the lead alone", "account": "its whole account"}
Counting = ActivityRule | FrequencyRule | SilenceRule


def _points(old: Counting | LeadRule, new: Counting | LeadRule) -> Iterator[str]:
    if old.points != new.points:
        yield f"{readable.points(old.points)} → {readable.with_unit(new.points)}"


def _what(old: Counting, new: Counting) -> Iterator[str]:
    if set(old.activities) != set(new.activities):
        yield f"activity {exchanged(old.activities, new.activities)}"
    yield from condition_changes("where", old.where, new.where)
    if old.scope != new.scope:
        yield f"is about {WHOSE[old.scope]} → {WHOSE[new.scope]}"


def _decay(old: Decay, new: Decay) -> Iterator[str]:
    if type(old.shape) is type(new.shape) and differ(old.shape, new.shape):
        name, _, before = readable.shape(old.shape).partition(" ")
        yield f"{name} {before} → {readable.shape(new.shape).removeprefix(name + ' ')}"
    else:
        yield from turned("decay", old.shape, new.shape, readable.shape)
    ends = lambda age: "never" if age is None else readable.days(age)  # noqa: E731
    yield from turned("expires", old.expires, new.expires, ends)


def _choices(old: list[Choice], new: list[Choice]) -> Iterator[str]:
    """Entries are known by their condition; what is left over on both sides is taken for edited."""
    pairs: list[tuple[Choice, Choice]] = []
    rest = list(old)
    for choice in new:
        twin = next((other for other in rest if not differ(other.when, choice.when)), None)
        if twin is not None:
            rest.remove(twin)
            pairs.append((twin, choice))
    fresh = [choice for choice in new if not any(choice is after for _, after in pairs)]
    edited = list(zip(rest, fresh, strict=False))
    texts = [text for before, after in pairs + edited for text in _choice(before, after)]
    texts += [
        f"entry “{choice.label}” is new: {readable.with_unit(choice.points)} if "
        f"{readable.condition(choice.when)}"
        for choice in fresh[len(edited) :]
    ]
    texts += [f"entry “{choice.label}” is gone" for choice in rest[len(edited) :]]
    before_order = [old.index(before) for before, _ in pairs]
    if before_order != sorted(before_order) or not texts:
        texts.append("takes its entries in another order: " + ", ".join(f"“{one.label}”" for one in new))
    yield from texts


def _choice(old: Choice, new: Choice) -> Iterator[str]:
    if old.points != new.points:
        yield f"“{new.label}” {readable.points(old.points)} → {readable.with_unit(new.points)}"
    yield from condition_changes(f"“{new.label}” if", old.when, new.when)
