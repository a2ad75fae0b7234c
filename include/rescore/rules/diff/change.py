"""One difference between two scorecards, and what every kind of difference is said with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from rescore.rules.fingerprint import Part, canonical

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an edit does.

    `where` is what people call the thing: the id of a rule, a dimension, an automation or a list, else a word
    such as `audience` or `band A`. `text` goes on from there: `pricing_page` + `5 → 8 points`.
    """

    part: Part
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where} {self.text}"


def differ(old: Any, new: Any) -> bool:
    """Whether two parts of scorecards mean different things, exactly as the fingerprint sees it."""
    return bool(canonical(old) != canonical(new))


def turned(what: str, old: Any, new: Any, say: Callable[[Any], str]) -> Iterator[str]:
    """`what old → new`, if they differ."""
    if differ(old, new):
        before, after = say(old), say(new)
        yield f"{what} is written differently" if before == after else f"{what} {before} → {after}"


def exchanged(old: Iterable[str], new: Iterable[str]) -> str:
    """What a set of words gained and lost: `+cto, -cfo`."""
    before, after = list(old), list(new)
    gained = [f"+{word}" for word in after if word not in before]
    return ", ".join(gained + [f"-{word}" for word in before if word not in after])


def paired(
    old: Iterable[Item], new: Iterable[Item], name: Callable[[Item], str]
) -> Iterator[tuple[str, Item | None, Item | None]]:
    """(name, old, new) of everything that either side has, in the new one's order, the lost ones last."""
    before = {name(item): item for item in old}
    after = {name(item): item for item in new}
    for key, item in after.items():
        yield key, before.get(key), item
    for key, item in before.items():
        if key not in after:
            yield key, item, None
