"""Bands named like marks at school, of which `A` is expected to be the best."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rescore.rules import readable
from rescore.rules.card import Band, Scorecard
from rescore.rules.lint.found import Found
from rescore.strict.model import Path

_MARKS = frozenset("ABCDEFG")


def upside_down(card: Scorecard) -> Iterator[Found]:
    """Bands and grades whose letters run the wrong way; each set of them is told once."""
    yield from _found(card.bands, ("bands",))
    for dimension, bands in card.grades.dimensions if card.grades else ():
        yield from _found(bands, ("grades", dimension))


def _found(bands: tuple[Band, ...], path: Path) -> Iterator[Found]:
    marks = [band for band in bands if band.id in _MARKS]  # a set without `A` may stand for words: H, W, C
    if not any(band.id == "A" for band in marks):
        return
    for higher, lower in pairwise(marks):
        if lower.id < higher.id:
            begins = f"band `{lower.id}` begins at {readable.points(lower.bound)}"
            message = f"{begins}, below `{higher.id}` at {readable.points(higher.bound)}; "
            yield Found((*path, lower.id), "upside-down", message + "did you mean it the other way round?")
            return
