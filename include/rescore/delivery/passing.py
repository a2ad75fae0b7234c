"""The given moment, moved on by the time that really passed: leases and waits need the present."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class PassingTime:
    """A clock that starts at a moment its caller names."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self._began = time.monotonic()

    def passed(self) -> timedelta:
        """Since the start."""
        return timedelta(seconds=time.monotonic() - self._began)

    def now(self) -> datetime:
        """The present."""
        return self.start + self.passed()
