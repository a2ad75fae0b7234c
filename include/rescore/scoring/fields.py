"""Which fields a scorecard may ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from rescore.rules.card import Scorecard
from rescore.withheld import RESERVED


def fields_asked(card: Scorecard) -> frozenset[str]:
    """Every text in the card: whatever field it asks for is among them. And what is said above all rules."""
    return frozenset(_texts(card)) | RESERVED


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for item in part.items():
            yield from _texts(item)
    elif isinstance(part, tuple):
        for item in part:
            yield from _texts(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _texts(getattr(part, field.name))
