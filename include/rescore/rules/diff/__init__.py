"""The semantic diff: what an edit of a scorecard does, in people's words, and what each change wakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rescore.rules import readable
from rescore.rules.card import (
    ALWAYS,
    Condition,
    Dimension,
    Example,
    Not,
    Range,
    Restart,
    Scorecard,
)
from rescore.rules.diff.automations import automation_changes, band_changes, grade_changes
from rescore.rules.diff.change import Change, differ, exchanged, paired, turned
from rescore.rules.diff.conditions import condition_changes
from rescore.rules.diff.quarantine import quarantine_changes
from rescore.rules.diff.rules import rule_changes
from rescore.rules.fingerprint import Part, canonical
from rescore.rules.list_use import asked_by

__all__ = ["Change", "diff"]

STRENGTH: dict[Part, int] = {"scoring": 0, "thresholds": 1, "wording": 2}


def diff(old: Scorecard, new: Scorecard) -> tuple[Change, ...]:
    """Every change, the strongest part first, else in the order of the file.

    Empty exactly when all parts of the fingerprints are equal; the first change's part is what
    `fingerprint(new).wakes(fingerprint(old))` says.
    """
    return tuple(sorted(_changes(old, new), key=lambda change: STRENGTH[change.part]))


def _changes(old: Scorecard, new: Scorecard) -> Iterator[Change]:
    if old.timezone.key != new.timezone.key:
        yield Change("scoring", "timezone", f"{old.timezone.key} → {new.timezone.key}")
    yield from (Change("scoring", "score", text) for text in _range(old.total, new.total))
    yield from _dimensions(old.dimensions, new.dimensions)
    yield from _lists(old, new)
    yield from rule_changes(old.rules, new.rules)
    yield from (Change("scoring", "restart", text) for text in _restart(old.restart, new.restart))
    yield from quarantine_changes(old.quarantine, new.quarantine)
    yield from (Change("scoring", "audience", text) for text in _audience(old.audience, new.audience))
    yield from band_changes(old.bands, new.bands)
    yield from grade_changes(old.grades, new.grades)
    yield from automation_changes(old.automations, new.automations)
    if old.description != new.description:
        yield Change("wording", "description", "is reworded")
    yield from _examples(old.examples, new.examples)


def _range(old: Range, new: Range) -> Iterator[str]:
    yield from turned("floor", old.floor, new.floor, readable.bound)
    yield from turned("ceiling", old.ceiling, new.ceiling, readable.bound)


def _dimensions(old: tuple[Dimension, ...], new: tuple[Dimension, ...]) -> Iterator[Change]:
    for name, before, after in paired(old, new, lambda dimension: dimension.id):
        if before is None or after is None:
            yield Change("scoring", name, "is a new dimension" if after else "is gone, a dimension less")
            continue
        yield from (Change("scoring", name, text) for text in _range(before.range, after.range))
        if before.in_total != after.in_total:
            text = "counts in the score now" if after.in_total else "no longer counts in the score"
            yield Change("scoring", name, text)


def _lists(old: Scorecard, new: Scorecard) -> Iterator[Change]:
    for name, before, after in paired(old.lists, new.lists, lambda values: values.id):
        part = min(asked_by(old, name), asked_by(new, name), key=STRENGTH.__getitem__)
        if before is None and after is not None:
            yield Change(part, name, f"list is new, with {len(after.values):,} values")
        elif after is None:
            yield Change(part, name, "list is gone")
        elif before is not None and before.values != after.values:
            gained, lost = len(after.values - before.values), len(before.values - after.values)
            sizes = [f"+{gained:,}"] * (gained > 0) + [f"-{lost:,}"] * (lost > 0)
            yield Change(part, name, f"list {' '.join(sizes)}")


def _audience(old: Condition, new: Condition) -> Iterator[str]:
    """An audience is written as whom it leaves out."""
    match old, new:
        case Not(before), Not(after):
            yield from condition_changes("excludes", before, after)
        case _:
            if differ(old, new):
                yield f"{_left_out(old)} → {_left_out(new)}"


def _left_out(audience: Condition) -> str:
    match audience:
        case Not(excluded):
            return f"excludes {readable.condition(excluded)}"
        case _ if audience == ALWAYS:
            return "excludes nobody"
        case _:
            return f"is {readable.condition(audience)}"


def _restart(old: Restart | None, new: Restart | None) -> Iterator[str]:
    if old is None or new is None:
        if new is not None:
            what = readable.either(map(readable.quoted, new.activities))
            yield f"is new: {what} keeps {readable.share(new.keep)} of {', '.join(new.dimensions)}"
        elif old is not None:
            yield "is gone"
        return
    for what, before, after in (
        ("activity", old.activities, new.activities),
        ("dimensions", old.dimensions, new.dimensions),
    ):
        if set(before) != set(after):
            yield f"{what} {exchanged(before, after)}"
    yield from condition_changes("where", old.where, new.where)
    yield from turned("keeps", old.keep, new.keep, readable.share)


def _examples(old: tuple[Example, ...], new: tuple[Example, ...]) -> Iterator[Change]:
    before, after = (Counter((one.name, str(canonical(one))) for one in side) for side in (old, new))
    lost, gained = (Counter(name for name, _ in side.elements()) for side in (before - after, after - before))
    for name in dict.fromkeys(one.name for one in (*new, *old)):
        if lost[name] or gained[name]:
            what = "is changed" if lost[name] and gained[name] else "is new" if gained[name] else "is gone"
            yield Change("wording", "examples", f"“{name}” {what}")
