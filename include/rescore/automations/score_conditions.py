"""Do whole points satisfy a condition? What `fire_when` and `ready_again_when` say, as functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from rescore.rules.card import AllOf, AnyOf, Band, Comparison, Condition, Kind, Not, Operator
from rescore.text import fold, word_line

Values = Mapping[str, int | str | None]
"""What conditions look at: `score`, `band`, `grade`, and each dimension by its id, in whole points."""


def values_of(score: int | None, band: str | None, grade: str | None, dimensions: str) -> Values:
    """The values of a row that has its dimensions as JSON."""
    return {"score": score, "band": band, "grade": grade, **_read(dimensions)}


@lru_cache(maxsize=10_000)
def _read(dimensions: str) -> Mapping[str, int | None]:
    """Many leads have the same few points in each dimension."""
    read: Mapping[str, int | None] = json.loads(dimensions)
    return read


def holds(condition: Condition, values: Values) -> bool:
    """Whether a condition is true; a comparison with a missing value is false, and its `not` true."""
    return test_of(condition)(values)


def test_of(condition: Condition) -> Callable[[Values], bool]:
    """A condition as a function of the values, for asking it often."""
    match condition:
        case AllOf(parts):
            every = [test_of(part) for part in parts]
            return lambda values: all(test(values) for test in every)
        case AnyOf(parts):
            some = [test_of(part) for part in parts]
            return lambda values: any(test(values) for test in some)
        case Not(part):
            test = test_of(part)
            return lambda values: not test(values)
        case Comparison():
            return _comparison(condition)


def only_looks_upward(condition: Condition, bands: Sequence[Band] = ()) -> bool:
    """Whether a higher score can only make the condition truer: then a lead's first score may fire it.

    A comparison of `band` looks upward when it asks for the topmost bands.
    """
    return _looks(condition, bands, up=True)


def _looks(condition: Condition, bands: Sequence[Band], *, up: bool) -> bool:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return all(_looks(part, bands, up=up) for part in parts)
        case Not(part):
            return _looks(part, bands, up=not up)
        case Comparison(operator=Operator.AT_LEAST | Operator.ABOVE):
            return up
        case Comparison(operator=Operator.AT_MOST | Operator.BELOW):
            return not up
        case Comparison("band", Operator.EQUALS | Operator.IN, _, values):
            asked = {fold(str(value)) for value in values}
            outermost = bands[: len(asked)] if up else bands[len(bands) - len(asked) :]
            return asked == {fold(band.id) for band in outermost}
        case _:
            return False


_TESTS: dict[Operator, Callable[[Any, tuple[Any, ...]], bool]] = {
    Operator.EQUALS: lambda value, literals: value == literals[0],
    Operator.IN: lambda value, literals: value in literals,
    Operator.AT_LEAST: lambda value, literals: value >= literals[0],
    Operator.AT_MOST: lambda value, literals: value <= literals[0],
    Operator.ABOVE: lambda value, literals: value > literals[0],
    Operator.BELOW: lambda value, literals: value < literals[0],
    Operator.BETWEEN: lambda value, literals: literals[0] <= value <= literals[1],
    Operator.CONTAINS: lambda value, literals: literals[0] in value,
    Operator.CONTAINS_ANY: lambda value, literals: any(literal in value for literal in literals),
    Operator.STARTS_WITH: lambda value, literals: value.startswith(literals),
    Operator.STARTS_WITH_ANY: lambda value, literals: value.startswith(literals),
    Operator.ENDS_WITH: lambda value, literals: value.endswith(literals),
    Operator.ENDS_WITH_ANY: lambda value, literals: value.endswith(literals),
    Operator.HAS_WORD: lambda value, literals: word_line(literals[0]) in word_line(value),
    Operator.HAS_ANY_WORD: lambda value, literals: any(
        word_line(word) in word_line(value) for word in literals
    ),
}


def _comparison(comparison: Comparison) -> Callable[[Values], bool]:
    field = comparison.field
    if comparison.operator is Operator.EXISTS:
        wanted = comparison.values[0]
        return lambda values: (values.get(field) is not None) == wanted
    test = _TESTS[comparison.operator]
    if comparison.kind is Kind.TEXT:
        texts = tuple(fold(str(value)) for value in comparison.values)
        return lambda values: (value := values.get(field)) is not None and test(fold(str(value)), texts)
    numbers = tuple(_plain(value) for value in comparison.values)
    return lambda values: (value := values.get(field)) is not None and test(value, numbers)


def _plain(number: Any) -> int | Decimal:
    """Whole numbers as int, which compares several times faster."""
    exact = Decimal(number)
    return int(exact) if exact == exact.to_integral_value() else exact
