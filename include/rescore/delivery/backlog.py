"""What a target is still owed, told honestly: which priorities are complete, how much waits, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from rescore.connectors.base import Target
from rescore.ledger.outbox.breakers import FOR_GOOD, Breaker


@dataclass(frozen=True, slots=True)
class Backlog:
    """Writes that are due by priority, and the earliest moment at which all of them can be done.

    `until` is None when nobody can say: a person has to close a breaker first.
    """

    due: Mapping[int, int]
    until: datetime | None

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.due.values())

    def told(self, now: datetime) -> str:
        """In one line: `complete for priority 1-2, 38,000 deferred, ETA 02:10 UTC`."""
        if not self.total:
            return "complete"
        first = min(priority for priority, count in self.due.items() if count)
        done = {1: "complete for no priority", 2: "complete for priority 1"}.get(
            first, f"complete for priority 1-{first - 1}"
        )
        return f"{done}, {self.total:,} deferred, ETA {self._until(now)}"

    def _until(self, now: datetime) -> str:
        if self.until is None:
            return "unknown: a person has to close the breaker"
        same_day = self.until.date() == now.date()
        return f"{self.until:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC"


def backlog_of(
    target: Target,
    due: Mapping[int, int],
    *,
    tried_again: datetime | None,
    breaker: Breaker | None,
    now: datetime,
) -> Backlog:
    """How long a target's debts will take.

    Args:
        target: Says how fast it may be asked, and when its quota has room.
        due: Writes owed, by priority.
        tried_again: When the last of those that failed may be tried again.
        breaker: The one that keeps everybody away now.
        now: The present.
    """
    if not due or (breaker and breaker.open_until == FOR_GOOD):
        return Backlog(due, None)
    begins = [now + timedelta(seconds=target.room(priority)) for priority in due]
    begins += [moment for moment in (tried_again, breaker and breaker.open_until) if moment]
    calls = ceil(sum(due.values()) / target.batch_size)
    return Backlog(due, max(begins) + timedelta(seconds=calls * target.call_seconds))
