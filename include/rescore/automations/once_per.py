"""Leads of one account: which key stands for it, and when one of them fired last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rescore.rules.card import Scorecard

Keys = Mapping[str, str]
"""By automation with a `once_per`, what stands for the lead's account; a lead without one has no key."""


def once_flag(automation: str) -> str:
    """What the flag of a lead begins with that carries its key, a hash: `mql once 3f0a...`."""
    return f"{automation} once "


def keys_in(card: Scorecard, flags: Iterable[str]) -> dict[str, str]:
    """The keys among a lead's flags."""
    prefixes = {once_flag(each.id): each.id for each in card.automations if each.once_per is not None}
    return {
        automation: flag.removeprefix(prefix)
        for flag in flags
        for prefix, automation in prefixes.items()
        if flag.startswith(prefix)
    }


class Accounts:
    """When any lead of an account fired last: as committed, and as noted since.

    Args:
        committed: By automation and key.
    """

    def __init__(self, committed: Mapping[tuple[str, str], datetime]) -> None:
        self._last = dict(committed)

    def add(self, others: Accounts) -> None:
        """What others know, too."""
        for name_and_key, at in others._last.items():
            self._last[name_and_key] = max(at, self._last.get(name_and_key, at))

    def last_fired(self, keys: Keys) -> dict[str, datetime]:
        """By automation, for one lead's keys."""
        return {name: self._last[name, key] for name, key in keys.items() if (name, key) in self._last}

    def note(self, keys: Keys, automation: str, at: datetime) -> None:
        """A lead with these keys fires."""
        if (key := keys.get(automation)) is not None:
            self._last[automation, key] = max(at, self._last.get((automation, key), at))
