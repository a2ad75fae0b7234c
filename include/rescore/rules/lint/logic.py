"""Can a condition hold at all? Exact where it says no; where it cannot tell, it says yes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, pairwise, product
from typing import Final

from rescore.rules.card import AllOf, AnyOf, Comparison, Condition, Kind, Not, Operator, Scalar
from rescore.text import fold, word_line

MOST_CASES: Final = 512  # ways to meet a condition; nobody writes more, and looking at each takes a moment

STARTS: Final = {Operator.STARTS_WITH, Operator.STARTS_WITH_ANY}
ENDS: Final = {Operator.ENDS_WITH, Operator.ENDS_WITH_ANY}
CONTAINS: Final = {Operator.CONTAINS, Operator.CONTAINS_ANY}
HAS_WORD: Final = {Operator.HAS_WORD, Operator.HAS_ANY_WORD}
NAMES_VALUES: Final = {Operator.EQUALS, Operator.IN}
LISTS: Final = {Operator.IN_LIST, Operator.DOMAIN_IN_LIST}


@dataclass(frozen=True, slots=True)
class Claim:
    """A comparison that has to hold, or (`holds` false) must not."""

    comparison: Comparison
    holds: bool


class TooManyCases(Exception):
    """There are more ways to meet a condition than anybody wants to look at."""


def can_hold(condition: Condition) -> bool:
    """Whether some value of the fields meets the condition."""
    try:
        return bool(_ways(condition, holds=True))
    except TooManyCases:
        return True


def always_holds(condition: Condition) -> bool:
    """Whether every value of the fields meets the condition."""
    return not can_hold(Not(condition))


def implies(stronger: Condition, weaker: Condition) -> bool:
    """Whether whatever meets the one meets the other as well."""
    try:
        cases, objections = _ways(stronger, holds=True), _ways(weaker, holds=False)
    except TooManyCases:
        return False
    return len(cases) * len(objections) <= MOST_CASES and not any(
        _consistent((*case, *objection), {claim.comparison.field for claim in objection})
        for case in cases
        for objection in objections
    )


@lru_cache(maxsize=4096)
def _ways(condition: Condition, *, holds: bool) -> list[tuple[Claim, ...]]:
    """The ways to meet a condition (or not to) that do not contradict themselves."""
    cases = _cases(condition, holds=holds)
    return [case for case in cases if _consistent(case, {claim.comparison.field for claim in case})]


def _cases(condition: Condition, *, holds: bool) -> list[tuple[Claim, ...]]:
    """The ways to meet a condition (or not to): each a set of claims that have to be true together."""
    match condition:
        case Comparison():
            return [(Claim(condition, holds),)]
        case Not(part):
            return _cases(part, holds=not holds)
        case AllOf(parts) if holds:
            return _together(_cases(part, holds=True) for part in parts)
        case AnyOf(parts) if not holds:
            return _together(_cases(part, holds=False) for part in parts)
        case AllOf(parts) | AnyOf(parts):
            return [case for part in parts for case in _cases(part, holds=holds)]


def _together(parts: Iterable[list[tuple[Claim, ...]]]) -> list[tuple[Claim, ...]]:
    cases: list[tuple[Claim, ...]] = [()]
    for part in parts:
        if len(cases) * len(part) > MOST_CASES:
            raise TooManyCases
        cases = [(*case, *more) for case, more in product(cases, part)]
    return cases


def _consistent(case: Sequence[Claim], fields: Iterable[str]) -> bool:
    return all(_field_consistent([c for c in case if c.comparison.field == field]) for field in fields)


def _field_consistent(claims: list[Claim]) -> bool:
    there = {c.comparison.values[0] is c.holds for c in claims if c.comparison.operator is Operator.EXISTS}
    compared = [claim for claim in claims if claim.comparison.operator is not Operator.EXISTS]
    if len(there) == 2:
        return False
    if False in there:  # missing: no comparison holds, and every denial does
        return not any(claim.holds for claim in compared)
    return all(
        _kind_consistent(kind, [claim for claim in compared if claim.comparison.kind is kind])
        for kind in {claim.comparison.kind for claim in compared}
    )


def _kind_consistent(kind: Kind, claims: list[Claim]) -> bool:
    """Claims about one field read in one way; without a positive one the value may be of another kind."""
    positive = [claim.comparison for claim in claims if claim.holds]
    denied = [claim.comparison for claim in claims if not claim.holds]
    if not positive:
        return True
    match kind:
        case Kind.TEXT:
            return _texts_consistent(positive, denied)
        case Kind.FLAG:
            flags = {one.values[0] for one in positive} | {not one.values[0] for one in denied}
            return len(flags) == 1
        case _:
            return _numbers_consistent(positive, denied)


# ── numbers, and ages in days ────────────────────────────────────────────────────────────────────────


def _numbers_consistent(positive: list[Comparison], denied: list[Comparison]) -> bool:
    """Any value that decides lies at a literal, between two neighbours, or beyond the outermost."""
    exact = sorted({_exact(value) for one in (*positive, *denied) for value in one.values})
    between = [(low + high) / 2 for low, high in pairwise(exact)]
    tried = [exact[0] - 1, *exact, *between, exact[-1] + 1]
    return any(
        all(_number_meets(one, value) for one in positive)
        and not any(_number_meets(one, value) for one in denied)
        for value in tried
    )


def _exact(value: Scalar) -> Decimal:
    assert not isinstance(value, str)  # noqa: S101  the card's contract for numbers and dates
    return Decimal(value)


def _number_meets(comparison: Comparison, value: Decimal) -> bool:
    literals = [_exact(literal) for literal in comparison.values]
    match comparison.operator:
        case Operator.AT_LEAST | Operator.OLDER_THAN:
            return value >= literals[0]
        case Operator.AT_MOST:
            return value <= literals[0]
        case Operator.ABOVE:
            return value > literals[0]
        case Operator.BELOW | Operator.NEWER_THAN:
            return value < literals[0]
        case Operator.BETWEEN:
            return literals[0] <= value <= literals[-1]
        case _:
            return value in literals


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────


def _texts_consistent(positive: list[Comparison], denied: list[Comparison]) -> bool:
    named = [one for one in positive if one.operator in NAMES_VALUES]
    if named:
        others = [one for one in positive if one is not named[0]]
        return any(
            all(_text_may_meet(one, value) for one in others)
            and not any(_text_surely_meets(one, value) for one in denied)
            for value in _folded(named[0])
        )
    if any(_all_denied(one, denied) for one in positive):
        return False
    return all(_agree(positive, ends) for ends in (STARTS, ENDS))


_fold = lru_cache(maxsize=50_000)(fold)
_word_line = lru_cache(maxsize=50_000)(word_line)
"""Every pair of rules is compared, so that each text is looked at again and again."""


def _folded(comparison: Comparison) -> list[str]:
    return [_fold(str(value)) for value in comparison.values]


def _text_may_meet(comparison: Comparison, value: str) -> bool:
    return comparison.operator in LISTS or text_meets(comparison, value)


def _text_surely_meets(comparison: Comparison, value: str) -> bool:
    return comparison.operator not in LISTS and text_meets(comparison, value)


def text_meets(comparison: Comparison, value: str) -> bool:
    """Whether a folded text meets a comparison of texts that looks into no list."""
    return any(_one_text_meets(comparison.operator, value, literal) for literal in _folded(comparison))


def _one_text_meets(operator: Operator, value: str, literal: str) -> bool:
    if operator in NAMES_VALUES:
        return value == literal
    if operator in STARTS:
        return value.startswith(literal)
    if operator in ENDS:
        return value.endswith(literal)
    if operator in HAS_WORD:
        return _word_line(literal) in _word_line(value)
    return literal in value


def _all_denied(positive: Comparison, denied: list[Comparison]) -> bool:
    """Whether each way to meet the one is denied by another."""
    if positive.operator in LISTS:
        return any((positive.operator, positive.values) == (one.operator, one.values) for one in denied)
    others = [(one.operator, _folded(one)) for one in denied if one.operator not in LISTS]
    return all(
        any(_surely(positive.operator, literal, operator, texts) for operator, texts in others)
        for literal in _folded(positive)
    )


def _surely(met: Operator, literal: str, denied: Operator, others: list[str]) -> bool:
    """Whether every text that meets an operator by this literal meets the other by one of its own."""
    if denied in CONTAINS:
        whole = met not in HAS_WORD or len(_word_line(literal).split()) == 1
        return whole and any(other in literal for other in others)
    if met in STARTS and denied in STARTS:
        return any(literal.startswith(other) for other in others)
    if met in ENDS and denied in ENDS:
        return any(literal.endswith(other) for other in others)
    if met in HAS_WORD and denied in HAS_WORD:
        line = _word_line(literal)
        return any(_word_line(other) in line for other in others)
    return False


def _agree(positive: list[Comparison], ends: set[Operator]) -> bool:
    """Whether one text can begin (end) with one literal of each."""
    meets = str.startswith if ends is STARTS else str.endswith
    asked = [one for one in positive if one.operator in ends]
    return not asked or any(
        all(meets(max(pair, key=len), min(pair, key=len)) for pair in combinations(choice, 2))
        for choice in _choices(asked)
    )


def _choices(positive: list[Comparison]) -> Iterator[tuple[str, ...]]:
    ways = [_folded(one) for one in positive]
    count = 1
    for way in ways:
        count *= len(way)
    if count > MOST_CASES:
        raise TooManyCases
    return product(*ways)
