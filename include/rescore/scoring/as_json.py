"""Columns of numbers as the JSON texts that the ledger keeps, the same text for the same values."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from rescore.rules.card import Scorecard


def dimensions_json(card: Scorecard, results: pa.Table, prefix: str = "") -> pa.ChunkedArray:
    """The dimensions of each row as one canonical JSON text: `{"engagement":35,"fit":20}`, ids sorted.

    `prefix` is what the names of their columns begin with.
    """
    parts = []
    for position, name in enumerate(sorted(dimension.id for dimension in card.dimensions)):
        parts.append(f'{"," if position else ""}"{name}":')
        parts.append(number_json(results[prefix + name]))
    return pc.binary_join_element_wise("{", *parts, "}", "")


def number_json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each whole number, or null, as JSON."""
    return pc.fill_null(pc.cast(column, pa.string()), "null")


def text_json(column: pa.ChunkedArray) -> pa.Array:
    """Each text, or null, as JSON; meant for columns of few different texts."""
    encoded = column.combine_chunks().dictionary_encode()
    written = pa.array([json.dumps(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return pc.fill_null(written.take(encoded.indices), "null")
