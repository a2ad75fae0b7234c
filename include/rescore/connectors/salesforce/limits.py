"""What a Salesforce organisation allows, and how patient we are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from zoneinfo import ZoneInfo

from rescore.connectors.connection import Connection
from rescore.connectors.figures import figures_in
from rescore.connectors.pace import Rates

AFTER = 8
"""Calls that one begun in time may bring with it: a job has to be filled, closed, and read three times."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an organisation allows, and how patient we are; the Connection's extra may set each by name.

    `page` rows come with a call of a query (200 to 2,000), `ids` may be asked for by name in one. A write
    takes up to `batch` records: `collection` in a call, or above `bulk_above` of them a bulk job, whose state
    is asked for every `poll` seconds, `bulk_seconds` long. `overlap` is how many seconds before the end of
    the last reading the next one starts, because a transaction's rows bear the time at which it began.
    `day` are the calls of 24 hours that the organisation has at least (Salesforce's own word wins when it is
    lower); `reserve`, a share of it, is left to its other apps. `calls` in `calls_seconds` keep us from
    crowding them out.
    """

    calls: int = 250
    calls_seconds: float = 10.0
    page: int = 2000
    ids: int = 200
    collection: int = 200
    batch: int = 10_000
    bulk_above: int = 2000
    poll: float = 5.0
    bulk_seconds: float = 600.0
    seconds: float = 60.0
    longest_wait: float = 30.0
    overlap: float = 600.0
    write_seconds: float = 300.0
    day: int = 100_000
    reserve: float = 0.2

    @classmethod
    def from_extra(cls, connection: Connection) -> Self:
        """The defaults, changed by what the Connection's extra names.

        Raises:
            SettingsIncomplete: A limit is no positive number.
        """
        return cls(**figures_in(connection, cls))

    @property
    def rates(self) -> Rates:
        """The same for whoever counts calls; Salesforce's 24 hours roll, so any midnight will do."""
        return Rates(
            {"calls": (self.calls, self.calls_seconds)},
            day=self.day,
            reserve=self.reserve,
            zone=ZoneInfo("UTC"),
            longest_wait=self.longest_wait,
        )

    @property
    def longest_write(self) -> float:
        """Seconds after which a write has ended, whatever happens: a lease has to be longer."""
        return max(self.write_seconds, self.bulk_seconds) + AFTER * (self.seconds + self.longest_wait)

    def impatient(self) -> Self:
        """The same, without waiting long for an answer."""
        return replace(self, seconds=min(self.seconds, 20.0), longest_wait=min(self.longest_wait, 5.0))
