"""The newest or oldest few activities of each lead, by aggregates that need no sorting of rows."""

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from sqlglot import exp

from rescore.scoring.sql import Sql, call, case, is_null, number

HEAP_UP_TO = 12
"""`max(x, K)` sets K places aside for every lead beforehand; beyond this a sorted list is cheaper
(docs/decisions/0003-newest-k.md)."""

_AGE_STEP = 2**40
"""An age times this plus a worth sorts by age; no worth comes near it."""


class End(Enum):
    """From which end of a lead's history activities are kept."""

    NEWEST = "newest"
    OLDEST = "oldest"


def worth_of(count: int, end: End, worth: Sql, age: Sql, table: Sequence[int] | None) -> Sql:
    """The summed worth of the `count` newest or oldest activities, null for none.

    All activities of a rule have the same points, so worth depends on age alone and ties cannot matter.

    Args:
        count: How many are kept.
        end: Which ones.
        worth: The worth of a matching activity, null for others.
        age: The age of any activity.
        table: The worth at ages 0, 1, 2 ...: where it only falls (or, for negative points, only rises)
            with age, the newest are those worth most (or least) and age need not be looked at. None when
            worth depends on more than that.
    """
    if table and _only_falls(table):
        return _extreme("MAX" if end is End.NEWEST else "MIN", worth, count)
    if table and _only_falls([-worth for worth in table]):
        return _extreme("MIN" if end is End.NEWEST else "MAX", worth, count)
    side = "MIN" if end is End.NEWEST else "MAX"
    matching_age = case((exp.not_(is_null(worth)), age.copy()))
    keyed = exp.paren(matching_age) * number(_AGE_STEP) + worth
    return _extreme(side, keyed, count) - _extreme(side, matching_age, count) * number(_AGE_STEP)


def _only_falls(table: Sequence[int]) -> bool:
    return all(older <= newer for newer, older in pairwise(table))


def _extreme(side: str, value: Sql, count: int) -> Sql:
    if count == 1:
        return call(side, value)
    if count <= HEAP_UP_TO:
        return call("LIST_SUM", call(side, value, number(count)))
    kept = exp.Filter(this=call("LIST", value), expression=exp.Where(this=exp.not_(is_null(value))))
    ordered = call("LIST_REVERSE_SORT" if side == "MAX" else "LIST_SORT", kept)
    return call("LIST_SUM", call("LIST_SLICE", ordered, number(1), number(count)))
