"""What a HubSpot account allows, and how patient we are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rescore.connectors.connection import Connection
from rescore.connectors.figures import figures_in
from rescore.connectors.pace import Rates
from rescore.errors import SettingsIncomplete


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account allows, and how patient we are; the Connection's extra may set each by name.

    `calls` in `calls_seconds` and `searches` in `searches_seconds` are HubSpot's for a private app, less
    a tenth, because what leaves us evenly may arrive bunched; lower them when other apps share the
    account. A 429 is waited for up to `longest_wait` seconds, at most `waits` times per call.
    `overlap` is how many seconds before its cursor a stream starts reading, because rows reach the
    index with a delay, and clocks differ. `sweep` is how many pages of what did not change each stream
    reads again in a run. `write_seconds` bounds the calls one write may begin, however often a batch
    has to be halved. `day` is the quota of a day (HubSpot's own word wins when it is lower), which begins at
    midnight in `zone`, the account's; `reserve`, a share of it, is left to its other apps.
    """

    calls: int = 190
    calls_seconds: float = 11.0
    searches: int = 5
    searches_seconds: float = 1.1
    search_page: int = 200
    batch: int = 100
    associations: int = 1000
    sweep: int = 10
    seconds: float = 30.0
    longest_wait: float = 30.0
    waits: int = 5
    overlap: float = 600.0
    write_seconds: float = 120.0
    day: int = 650_000
    reserve: float = 0.2
    zone: str = "UTC"

    @classmethod
    def from_extra(cls, connection: Connection) -> Self:
        """The defaults, changed by what the Connection's extra names.

        Raises:
            SettingsIncomplete: A limit is no positive number, or `zone` no time zone.
        """
        return cls(**figures_in(connection, cls), zone=_zone(connection))

    @property
    def rates(self) -> Rates:
        """The same for whoever counts calls."""
        return Rates(
            {"calls": (self.calls, self.calls_seconds), "searches": (self.searches, self.searches_seconds)},
            day=self.day,
            reserve=self.reserve,
            zone=ZoneInfo(self.zone),
            longest_wait=self.longest_wait,
        )

    @property
    def longest_write(self) -> float:
        """Seconds after which a write has ended, whatever happens: a lease has to be longer."""
        return self.write_seconds + (self.waits + 1) * (self.seconds + 2 * self.longest_wait)

    def impatient(self) -> Self:
        """The same, without waiting for a limit to pass or long for an answer."""
        return replace(
            self, waits=0, seconds=min(self.seconds, 20.0), longest_wait=min(self.longest_wait, 5.0)
        )


def _zone(connection: Connection) -> str:
    try:
        return ZoneInfo(str(connection.extra.get("zone", "UTC"))).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise SettingsIncomplete(
            f"`zone` in the extra of the Connection `{connection.id}` is no time zone; one is Europe/Berlin"
        ) from None
