"""Which parts of a scorecard name a list: what else asks for it decides what an edit of it wakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Literal

from rescore.rules.card import Comparison, Operator, Scorecard

OF_LISTS = frozenset({Operator.IN_LIST, Operator.DOMAIN_IN_LIST})


def asked_by(card: Scorecard, name: str) -> Literal["scoring", "thresholds", "wording"]:
    """The strongest part that names a list: points, automations, or nothing at all."""
    if name in _named((card.rules, card.audience, card.restart, card.quarantine)):
        return "scoring"
    return "thresholds" if name in _named(card.automations) else "wording"


def _named(part: Any) -> set[str]:
    """The lists that conditions anywhere in a part of a scorecard name."""
    return {str(one.values[0]) for one in _comparisons(part) if one.operator in OF_LISTS}


def _comparisons(part: Any) -> Iterator[Comparison]:
    if isinstance(part, Comparison):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _comparisons(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _comparisons(getattr(part, field.name))
