"""One pace for all workers: every call to a CRM is counted in the ledger before it is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from rescore.connectors.pace import SHARES, Rates
from rescore.errors import CrmRateLimited
from rescore.ledger.outbox import budgets
from rescore.ledger.outbox.budgets import Budget
from rescore.ledger.transaction import Ledger


class SharedPace:
    """See `rescore.connectors.pace.Pace`.

    Args:
        ledger: Where all workers count; a transaction of its own for each call, none during one.
        name: Of the CRM.
        rates: What it allows.
        clock: The present; the clocks of workers on several machines have to agree to a second.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        rates: Rates,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._rates = rates
        self._clock = clock
        self._sleep = sleep
        self._seen: tuple[int, int] | None = None

    def wait(self, *allowances: str) -> None:
        """See `Pace.wait`; allowances are taken in the order given."""
        left = self._rates.longest_wait
        if not self._ledger.in_transaction(self._take_of_day):
            raise CrmRateLimited(
                f"our part of the day's calls of `{self._name}` is spent; the rest is for other apps",
                retry_after=self._until_midnight(),
            )
        for allowance in allowances:
            take = partial(self._take, allowance=allowance)
            while wait := self._ledger.in_transaction(take):
                if wait > left:
                    raise CrmRateLimited(
                        f"all workers together have used up the `{allowance}` of `{self._name}` for now",
                        retry_after=wait,
                    )
                left -= wait
                self._sleep(wait)

    def seen(self, used: int, ceiling: int) -> None:
        """See `Pace.seen`; written down with the next call."""
        self._seen = (used, ceiling)

    def knows_the_day(self) -> bool:
        """See `Pace.knows_the_day`; any worker may have heard it."""
        return self._seen is not None or self._day().seen_used is not None

    def pause(self, seconds: float) -> None:
        """See `Pace.pause`."""
        if seconds > 0:
            self._sleep(seconds)

    def room(self, priority: int) -> float:
        """See `Pace.room`."""
        day = self._day()
        share = self._rates.ours(day.ceiling) * SHARES[priority]
        return 0.0 if budgets.spent(day.used, day.seen_used) < share else self._until_midnight()

    def _day(self) -> Budget:
        began, _ = self._rates.day_of(self._clock())
        with self._ledger.reading() as connection:
            return budgets.of_day(connection, self._name, began_at=began)

    def _take(self, connection: Connection, *, allowance: str) -> float:
        calls, seconds = self._rates.allowances[allowance]
        return budgets.take(
            connection, self._name, allowance, limit=calls, seconds=seconds, now=self._clock()
        )

    def _take_of_day(self, connection: Connection) -> bool:
        """Also when there is nothing left, what the vendor told is written down for the others."""
        began, _ = self._rates.day_of(self._clock())
        ours = self._rates.ours(self._seen[1] if self._seen else None)
        return budgets.take_of_day(connection, self._name, limit=ours, began_at=began, seen=self._seen)

    def _until_midnight(self) -> float:
        now = self._clock()
        return (self._rates.day_of(now)[1] - now).total_seconds()
