"""Questions asked of whole columns at once: what differs, and where a condition on points holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from rescore.automations.score_conditions import test_of
from rescore.rules.card import AllOf, AnyOf, Comparison, Condition, Not

Column: TypeAlias = pa.ChunkedArray
Flags: TypeAlias = pa.Array
"""True or false for each row, never null."""


def every(flags: Sequence[Flags], rows: int) -> Flags:
    """Where all of them are true; everywhere, for none."""
    return reduce(pc.and_, flags, pa.repeat(True, rows))


def some(flags: Sequence[Flags], rows: int) -> Flags:
    """Where at least one is true; nowhere, for none."""
    return reduce(pc.or_, flags, pa.repeat(False, rows))


def count(flags: Flags) -> int:
    """In how many rows."""
    return pc.sum(flags).as_py() or 0


def differs(left: Column, right: Column) -> Flags:
    """Where two columns differ; two nulls are equal."""
    one_null = pc.xor(pc.is_null(left), pc.is_null(right))
    return pc.or_(one_null, pc.fill_null(pc.not_equal(left, right), False))


def true_where(condition: Condition, column: Callable[[str], Column | None], rows: int) -> Flags:
    """Where a condition on points holds, by asking once for each different value of a field.

    Args:
        condition: Over `score`, `band`, `grade` and dimensions.
        column: The values of a field; None for a field that nobody has.
        rows: How many there are.
    """
    match condition:
        case AllOf(parts):
            return every([true_where(part, column, rows) for part in parts], rows)
        case AnyOf(parts):
            return some([true_where(part, column, rows) for part in parts], rows)
        case Not(part):
            return pc.invert(true_where(part, column, rows))
        case Comparison(field):
            test, values = test_of(condition), column(field)
            if values is None:
                return pa.repeat(test({field: None}), rows)
            encoded = pa.chunked_array(values).combine_chunks().dictionary_encode()
            answers = pa.array([test({field: value}) for value in encoded.dictionary.to_pylist()], pa.bool_())
            return pc.fill_null(answers.take(encoded.indices), test({field: None}))


def dimension_columns(texts: Column, names: Sequence[str]) -> dict[str, pa.Array]:
    """Dimensions as the ledger keeps them, one JSON text a lead, as columns of whole points."""
    encoded = pa.chunked_array(texts).combine_chunks().dictionary_encode()
    read = [json.loads(text) for text in encoded.dictionary.to_pylist()]
    return {
        name: pa.array([row.get(name) for row in read], pa.int64()).take(encoded.indices) for name in names
    }
