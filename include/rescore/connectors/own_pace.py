"""Keeps the calls of one process below the CRM's limits, so that its 429 is the exception."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from rescore.connectors.pace import Rates


class OwnPace:
    """At most so many calls in any so many seconds; the next one waits until the oldest has left the window.

    For one process alone, such as a command; workers share a `rescore.delivery.shared_pace.SharedPace`.
    `clock` and `sleep` count seconds that only pass, whatever the time of day.
    """

    def __init__(
        self,
        rates: Rates,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._windows = {
            name: (deque[float](maxlen=calls), seconds) for name, (calls, seconds) in rates.allowances.items()
        }
        self._clock = clock
        self._sleep = sleep

    def wait(self, *allowances: str) -> None:
        """See `Pace.wait`."""
        for name in allowances:
            recent, seconds = self._windows[name]
            if len(recent) == recent.maxlen:
                self.pause(recent[0] + seconds - self._clock())
            recent.append(self._clock())

    def seen(self, used: int, ceiling: int) -> None:
        """One process alone does not spend a day's quota."""

    def knows_the_day(self) -> bool:
        """It has no use for it."""
        return True

    def pause(self, seconds: float) -> None:
        """See `Pace.pause`."""
        if seconds > 0:
            self._sleep(seconds)

    def room(self, priority: int) -> float:
        """Always."""
        return 0.0
