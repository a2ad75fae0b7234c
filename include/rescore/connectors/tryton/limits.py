"""How much is asked of a Tryton server, which has no limits of its own but for logins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from zoneinfo import ZoneInfo

from rescore.connectors.connection import Connection
from rescore.connectors.figures import figures_in
from rescore.connectors.pace import Rates


@dataclass(frozen=True, slots=True)
class Limits:
    """Each may be set by name in the Connection's extra.

    `calls` in `calls_seconds` are all workers' together; `page` rows are read and `batch` records written
    a call. A call may take `seconds`. A server before Tryton may say 429: that is waited for up to
    `longest_wait` seconds, at most `waits` times. `overlap` is how many seconds before its cursor a stream
    starts reading, because a change is dated when its transaction begins. `write_seconds` bounds the calls
    that one write may begin, however often a batch has to be halved.
    """

    calls: int = 100
    calls_seconds: float = 1.0
    page: int = 500
    batch: int = 100
    seconds: float = 30.0
    longest_wait: float = 30.0
    waits: int = 1
    overlap: float = 600.0
    write_seconds: float = 120.0

    @classmethod
    def from_extra(cls, connection: Connection) -> Self:
        """The defaults, changed by what the Connection's extra names.

        Raises:
            SettingsIncomplete: A limit is no positive number.
        """
        return cls(**figures_in(connection, cls))

    @property
    def rates(self) -> Rates:
        """The same for whoever counts calls; Tryton knows no quota of a day."""
        return Rates(
            {"calls": (self.calls, self.calls_seconds)},
            day=10**9,
            reserve=0.0,
            zone=ZoneInfo("UTC"),
            longest_wait=self.longest_wait,
        )

    @property
    def longest_write(self) -> float:
        """Seconds after which a write has ended, whatever happens: a lease has to be longer.

        The login, the write and the three questions that follow a refusal begin without a look at the clock.
        """
        return self.write_seconds + 5 * (self.waits + 1) * (self.seconds + 2 * self.longest_wait)

    def impatient(self) -> Self:
        """The same, without waiting for a limit to pass or long for an answer."""
        return replace(
            self, waits=0, seconds=min(self.seconds, 20.0), longest_wait=min(self.longest_wait, 5.0)
        )
