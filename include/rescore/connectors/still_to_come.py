"""Records of what has not happened yet: which to read again, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 1000
"""Records that are remembered by their ids: they are in a cursor, which is written with every landing."""

WAITING, CROWDED_OUT = "waiting", "crowded_out"
NAMES = (WAITING, CROWDED_OUT)


class StillToCome:
    """The soonest of them by id, with the moment (ms) at which each is due.

    Where there are more, it is known when the first of the others is due: everything is read again then.

    Args:
        cursor: Of the last page; what is there under `NAMES` is ours.
    """

    def __init__(self, cursor: Mapping[str, Any]) -> None:
        self._waiting: dict[str, int] = dict(cursor.get(WAITING) or {})
        self._crowded_out: int | None = cursor.get(CROWDED_OUT)

    def take_due(self, now: int) -> list[str]:
        """The ids of those that are due; they wait no more."""
        due = [one for one, moment in self._waiting.items() if moment <= now]
        for one in due:
            del self._waiting[one]
        return due

    def take_crowded_out(self, now: int) -> bool:
        """Whether one is due that nobody remembers; once."""
        if self._crowded_out is None or self._crowded_out > now:
            return False
        self._crowded_out = None
        return True

    def remember(self, record_id: str, moment: int) -> None:
        """One that is due at a moment; the last to come leaves, where there are too many."""
        self._waiting[record_id] = moment
        if len(self._waiting) > MOST:
            last = max(self._waiting, key=self._waiting.__getitem__)
            moment = self._waiting.pop(last)
            self._crowded_out = min(moment, self._crowded_out or moment)

    def forget(self, record_id: str) -> None:
        """One that is being read: it may have been moved, or be over."""
        self._waiting.pop(record_id, None)

    @property
    def state(self) -> dict[str, Any]:
        """What to keep in the cursor."""
        kept = {WAITING: dict(self._waiting), CROWDED_OUT: self._crowded_out}
        return {name: value for name, value in kept.items() if value}
