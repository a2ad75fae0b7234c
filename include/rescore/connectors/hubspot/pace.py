"""Keeps our calls below the CRM's limits, so that its 429 is the exception."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class Pace:
    """At most `calls` in any `seconds`; the next one waits until the oldest has left the window.

    `clock` and `sleep` count seconds that only pass, whatever the time of day.
    """

    def __init__(
        self,
        calls: int,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._recent: deque[float] = deque(maxlen=calls)
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> None:
        """Return when one more call is allowed, and count it."""
        if len(self._recent) == self._recent.maxlen:
            self.pause(self._recent[0] + self._seconds - self._clock())
        self._recent.append(self._clock())

    def pause(self, seconds: float) -> None:
        """Wait as long as the CRM asked."""
        if seconds > 0:
            self._sleep(seconds)
