"""What an edit of a condition comes down to: a moved number, a word more or less, a clause more or less."""

from __future__ import annotations

from collections.abc import Iterator

from rescore.rules import readable
from rescore.rules.card import AllOf, Comparison, Condition, Operator
from rescore.rules.diff.change import differ, exchanged

MANY = 4  # values beyond this are said as what came and went


def condition_changes(word: str, old: Condition, new: Condition) -> Iterator[str]:
    """The difference in as few words as it takes, each phrase after `word` (where, while, fires when).

    Nothing when both mean the same.
    """
    if not differ(old, new):
        return
    before, after = _clauses(old), _clauses(new)
    lost = [clause for clause in before if not any(not differ(clause, other) for other in after)]
    gained = [clause for clause in after if not any(not differ(clause, other) for other in before)]
    if not (lost or gained):
        yield f"{word} is written differently: {readable.condition(new)}"
    elif lost == before and gained == after and len(lost) + len(gained) > 2:
        yield f"{word} {readable.condition(old)} → {readable.condition(new)}"
    else:
        yield from _clause_changes(word, lost, gained)


def _clauses(condition: Condition) -> list[Condition]:
    return list(condition.parts) if isinstance(condition, AllOf) else [condition]


def _clause_changes(word: str, lost: list[Condition], gained: list[Condition]) -> Iterator[str]:
    fresh = list(gained)
    for clause in lost:
        twin = next((other for other in fresh if _same_question(clause, other)), None)
        if twin is None and len(lost) == len(gained) == 1:
            twin = gained[0]
        if twin is None:
            yield f"{word} no longer {readable.condition(clause)}"
        else:
            fresh.remove(twin)
            yield f"{word} {_clause_change(clause, twin)}"
    for clause in fresh:
        yield f"{word} also {readable.condition(clause)}"


def _same_question(one: Condition, other: Condition) -> bool:
    return (
        isinstance(one, Comparison)
        and isinstance(other, Comparison)
        and (one.field, one.operator, one.kind) == (other.field, other.operator, other.kind)
    )


def _clause_change(old: Condition, new: Condition) -> str:
    before, after = readable.condition(old), readable.condition(new)
    if before == after:
        return f"is written differently: {after}"
    if not (isinstance(old, Comparison) and isinstance(new, Comparison) and _same_question(old, new)):
        return f"{before} → {after}"
    if old.operator in {Operator.BETWEEN, Operator.EXISTS}:
        return f"{before} → {after.removeprefix(f'{readable.quoted(new.field)} ')}"
    texts = [[readable.literal(side.operator, value) for value in side.values] for side in (old, new)]
    start = f"{readable.quoted(new.field)} {readable.PHRASES[new.operator]}"
    kept = set(texts[0]) & set(texts[1])
    if kept and len(texts[0]) + len(texts[1]) > MANY:
        return f"{start} {exchanged(*texts)}"
    return f"{start} {', '.join(texts[0])} → {', '.join(texts[1])}"
