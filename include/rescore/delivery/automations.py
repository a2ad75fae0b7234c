"""Sends what crossings set off: one call per delivery, its id and body the same over every retry."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from rescore.delivery.fitness import Fitness
from rescore.delivery.passing import PassingTime
from rescore.delivery.sender import Sender
from rescore.errors import ReceiverRefused
from rescore.ledger.outbox import deliveries
from rescore.ledger.outbox.deliveries import DeliveryClaim, DeliveryResult
from rescore.ledger.transaction import Ledger
from rescore.outcome import CONSEQUENCES, Outcome
from rescore.rules.actions import ActionKind

LEASE = timedelta(minutes=2)
"""Longer than one call can take."""

LOOKED_AT = 50
"""So many are looked at in one transaction until one is found that can be sent."""

SET_ASIDE = {"due": "waiting", "expired": "expired", "cancelled": "cancelled"}


def run_automations(
    ledger: Ledger,
    senders: Mapping[ActionKind, Sender],
    *,
    now: datetime,
    worker: str,
    progress: Callable[[str], None] = lambda line: None,
) -> Counter[str]:
    """Send every delivery that is due, from whichever run it stems; none is tried twice in one call.

    They are claimed one at a time, so that an attempt on record is a call that was about to be made. A
    receiver that fails several times in a row is left alone, by every worker, until its breaker lets another
    call through. A Connection that is missing or did not opt in keeps its deliveries due, with the reason:
    putting it right is enough.

    Args:
        ledger: Holds what is owed; no call happens inside one of its transactions.
        senders: By kind of delivery; a kind without one keeps its deliveries due.
        now: The present.
        worker: Who holds the leases, for people who look.
        progress: Told after every delivery that did not arrive.

    Returns:
        Counts of deliveries: `delivered`, `deferred` (later runs try again), `parked` (gone or given up),
        `unready` (the Connection has to be put right), `left alone` (behind an open breaker), `waiting`
        (outside their hours), `expired` and `cancelled` (no longer true), `lost` (another worker has them).

    Raises:
        ReceiverRefused: When everything else is done: a person has to mend credentials, or what is written
            to, or a sender broke. Nothing is lost, it stays due; an e-mail that may have gone out is parked.
    """
    work = _Work(ledger, senders, worker, PassingTime(now))
    while claim := work.next():
        outcome = work.send(claim)
        work.settle(claim, outcome)
        if outcome.reason and outcome.kind != "ok":
            progress(f"delivery {claim.delivery_id}: {outcome.reason}")
    work.count_left_alone()
    if work.alerts:
        raise ReceiverRefused("; ".join(work.alerts.values()))
    return +work.counts


class _Work:
    """One call of `run_automations`: what it was given, and what has become of it so far."""

    def __init__(
        self, ledger: Ledger, senders: Mapping[ActionKind, Sender], worker: str, clock: PassingTime
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.alerts: dict[str, str] = {}
        self._ledger = ledger
        self._senders = senders
        self._worker = worker
        self._clock = clock
        self._fitness = Fitness()

    def next(self) -> DeliveryClaim | None:
        """The oldest delivery that was due when this call began and can be sent now."""
        while True:
            claim, aside, looked = self._ledger.in_transaction(self._look)
            self.counts += aside
            if claim is not None or looked < LOOKED_AT:
                return claim

    def _look(self, connection: Connection) -> tuple[DeliveryClaim | None, Counter[str], int]:
        start, aside = self._clock.start, Counter[str]()
        rows = deliveries.due(connection, now=start, limit=LOOKED_AT)
        for row in rows:
            unfit = self._fitness.judge(connection, row, self._clock.now())  # calls before it took their time
            if unfit is None:
                lease = LEASE + self._clock.passed()
                [claim] = deliveries.take(connection, [row], worker=self._worker, now=start, lease=lease)
                return claim, aside, len(rows)
            deliveries.set_aside(connection, row.delivery_id, unfit, now=start)
            aside[SET_ASIDE[unfit.state]] += 1
        return None, aside, len(rows)

    def send(self, claim: DeliveryClaim) -> Outcome:
        """One call, outside every transaction; a sender that breaks keeps back nobody else's deliveries."""
        sender = self._senders.get(claim.kind)
        if sender is None:
            return Outcome("unready", f"nothing here can send a `{claim.kind}`")
        try:
            return sender.send(claim, now=self._clock.now())
        except Exception as error:  # whatever no sender expects, and its text may quote anything
            reason = f"sending a `{claim.kind}` through `{claim.connection}` broke ({_what_and_where(error)})"
            self.alerts[claim.connection] = f"{reason}; please report it"
            return Outcome("unknown", reason)

    def settle(self, claim: DeliveryClaim, outcome: Outcome) -> None:
        """Note what became of it."""
        if CONSEQUENCES[outcome.kind].alert:
            self.alerts[claim.connection] = outcome.reason or f"connection `{claim.connection}` refused us"
        result = DeliveryResult(claim, outcome)
        self.counts += self._ledger.in_transaction(
            lambda connection: deliveries.settle(connection, [result], now=self._clock.now())
        )

    def count_left_alone(self) -> None:
        """What open breakers kept back."""
        with self._ledger.reading() as connection:
            self.counts["left alone"] += deliveries.waiting(connection, now=self._clock.start)


def _what_and_where(error: Exception) -> str:
    """The type of an error and the line that raised it: all of it that quotes nobody."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
