"""Texts for a table that people open in a spreadsheet, where some beginnings make a formula of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

BEGINS_A_FORMULA = r"^(?:[\t\r\n]| *[=+\-@＝＋－＠])"
"""In a dialect that Python and Arrow share; spreadsheets cut blanks and know full-width signs."""

_FORMULA = re.compile(BEGINS_A_FORMULA)


def harmless(row: Iterable[Any]) -> list[Any]:
    """A row of a CSV file whose texts stay texts: one that would begin a formula gets a `'` before it.

    Numbers stay as they are, negative ones too.
    """
    return [f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value for value in row]
