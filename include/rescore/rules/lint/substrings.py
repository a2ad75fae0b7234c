"""`contains` finds its letters inside other words, too: "cto" is in "director"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rescore.rules.card import Comparison, Operator, Scorecard
from rescore.rules.lint.found import Census, Found, comparisons, facts_conditions
from rescore.rules.lint.vocabulary import IN_PAGES, IN_TITLES
from rescore.text import fold

WHOLE_WORD: Final = {Operator.CONTAINS: "has_word", Operator.CONTAINS_ANY: "has_any_word"}
LETTERS: Final = re.compile(r"[^\W_]+")
STEM: Final = 5
"""Letters from which on a beginning is a stem: whoever writes "engineer" wants "engineering" as well."""
NO_STEMS: Final = frozenset({"intern"})
SHOWN: Final = 3


def found_inside_words(card: Scorecard, census: Census | None) -> Iterator[Found]:
    """Every `contains` of one word that other words have inside them; once a value and condition."""
    for asked in facts_conditions(card):
        for one in comparisons(asked.condition):
            if one.operator not in WHOLE_WORD:
                continue
            words = _known_words(census, one, of_lead=asked.of_lead)
            for value in map(str, one.values):
                others = sorted(other for other in words if _inside(fold(value), other))
                if others:
                    path = (*asked.path, one.field, str(one.operator))
                    yield Found(path, "inside-words", f"{asked.who}: {_message(one, value, others)}")


def _known_words(census: Census | None, one: Comparison, *, of_lead: bool) -> frozenset[str]:
    usual = IN_TITLES if of_lead else IN_PAGES
    if census is None:
        return usual
    return (census.lead_words if of_lead else census.activity_words).get(one.field) or usual


def _inside(value: str, word: str) -> bool:
    """Whether a single word stands in another that is more than a form of it."""
    if not LETTERS.fullmatch(value) or value not in word or word in {value, f"{value}s"}:
        return False
    return not (word.startswith(value) and len(value) >= STEM and value not in NO_STEMS)


def _message(one: Comparison, value: str, others: list[str]) -> str:
    shown = ", ".join(f"`{other}`" for other in others[:SHOWN])
    more = f" and {len(others) - SHOWN:,} more words" if len(others) > SHOWN else ""
    if one.operator is Operator.CONTAINS:
        way_out = f"write `has_word: {value}`"
    else:
        way_out = f"move it into `{WHOLE_WORD[one.operator]}`"
    return f"`{value}` is also in {shown}{more}; {way_out}"
