"""Texts for a table that people open in a spreadsheet, where some beginnings make a formula of a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(row: Iterable[Any]) -> list[Any]:
    """A row of a CSV file whose texts stay texts: one that would begin a formula gets a `'` before it.

    Numbers stay as they are, negative ones too.
    """
    return [
        f"'{value}" if isinstance(value, str) and value.startswith(STARTS_A_FORMULA) else value
        for value in row
    ]
