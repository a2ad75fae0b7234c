"""How fast a CRM may be asked: what every pace can do, whoever counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

SHARES: Mapping[int, float] = MappingProxyType({1: 1.0, 2: 0.9, 3: 0.75})
"""Of our part of a day's quota, what may be gone when a write of each priority begins: the rest is kept for
higher ones, and for reading."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What an account allows.

    `allowances` are calls in seconds by name. `day` is its quota of a day that begins at midnight in `zone`;
    `reserve`, a share of it, is left to other apps. A wait beyond `longest_wait` seconds is an error.
    """

    allowances: Mapping[str, tuple[int, float]]
    day: int
    reserve: float
    zone: ZoneInfo
    longest_wait: float

    def ours(self, ceiling: int | None = None) -> int:
        """How many of a day's calls may be gone when we stop; the vendor's own `ceiling` wins when lower."""
        return int(min(self.day, ceiling or self.day) * (1 - self.reserve))

    def day_of(self, now: datetime) -> tuple[datetime, datetime]:
        """When the present day of the quota began, and when it ends."""
        began = now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        ends = (began + timedelta(hours=36)).replace(hour=0)
        return began, ends


class Pace(Protocol):
    """Counts calls and makes them wait."""

    def wait(self, *allowances: str) -> None:
        """Return when one more call may begin that counts against these, and count it.

        Raises:
            CrmRateLimited: It would have to wait for too long.
        """
        ...

    def seen(self, used: int, ceiling: int) -> None:
        """Note what the vendor says of its day: calls of everybody, and how many there may be."""
        ...

    def knows_the_day(self) -> bool:
        """Whether the vendor has told of the present day what `seen` notes."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait as long as the CRM asked."""
        ...

    def room(self, priority: int) -> float:
        """Seconds until the day's quota has room for writes of this priority; 0: it has."""
        ...


class Allowed(Protocol):
    """What an account allows, and how patient we are: the `Limits` of a connector."""

    @property
    def rates(self) -> Rates:
        """The same for whoever counts calls."""
        ...

    def impatient(self) -> Self:
        """The same, without waiting."""
        ...


MakePace = Callable[[str, Rates], Pace]
"""Whoever counts the calls to the system of that name."""
L = TypeVar("L", bound=Allowed)


@dataclass(frozen=True, slots=True)
class Calls:
    """How a connector is to make its calls.

    Attributes:
        patient: Otherwise, for a few calls under a short lease, a limit is answered with an error at once.
        pace: Whoever counts them; None: the connector's process for itself.
    """

    patient: bool = True
    pace: MakePace | None = None

    def within(self, limits: L, name: str) -> tuple[L, Pace | None]:
        """The limits of the system of that name, as patient as we are, and whoever counts its calls."""
        limits = limits if self.patient else limits.impatient()
        return limits, self.pace(name, limits.rates) if self.pace else None
