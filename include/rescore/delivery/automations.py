"""Sends what crossings set off: one signed call per delivery, its id and body the same over every retry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from rescore.delivery.passing import PassingTime
from rescore.delivery.webhook import Outcome, WebhookSender
from rescore.ledger import deliveries
from rescore.ledger.deliveries import DeliveryClaim, DeliveryResult
from rescore.ledger.transaction import Ledger

LEASE = timedelta(minutes=2)
"""Longer than one call can take."""

FAILURES_IN_A_ROW = 3


def run_automations(
    ledger: Ledger,
    sender: WebhookSender,
    *,
    now: datetime,
    worker: str,
    progress: Callable[[str], None] = lambda line: None,
) -> Counter[str]:
    """Send every delivery that is due, from whichever run it stems; none is tried twice in one call.

    They are claimed one at a time, so that an attempt on record is a call that was about to be made. A
    receiver that fails several times in a row is left alone until a later run. A Connection that is
    missing or did not opt in keeps its deliveries due, with the reason: putting it right is enough.

    Args:
        ledger: Holds what is owed; no call happens inside one of its transactions.
        sender: Knows the receivers.
        now: The present.
        worker: Who holds the leases, for people who look.
        progress: Told after every delivery that did not arrive.

    Returns:
        Counts of deliveries: `delivered`, `deferred` (later runs try again), `parked` (gone or given
        up), `unready` (the Connection, or a receiver left alone), `lost` (another worker has them).
    """
    clock, counts, failures = PassingTime(now), Counter[str](), Counter[str]()
    while claim := _claim(ledger, worker, clock):
        outcome = _send(sender, claim, failures[claim.connection], clock.now())
        counts += _settle(ledger, claim, outcome, clock)
        if outcome.kind in ("transient", "unknown"):
            failures[claim.connection] += 1
        elif outcome.kind == "ok":
            failures[claim.connection] = 0
        if outcome.reason:
            progress(f"delivery {claim.delivery_id}: {outcome.reason}")
    return counts


def _claim(ledger: Ledger, worker: str, clock: PassingTime) -> DeliveryClaim | None:
    """The oldest delivery that was due when this call began."""
    claims = ledger.in_transaction(
        lambda connection: deliveries.claim(
            connection, worker=worker, now=clock.start, lease=LEASE + clock.passed(), limit=1
        )
    )
    return claims[0] if claims else None


def _settle(ledger: Ledger, claim: DeliveryClaim, outcome: Outcome, clock: PassingTime) -> Counter[str]:
    result = DeliveryResult(claim, outcome.kind, outcome.reason, outcome.retry_after)
    return ledger.in_transaction(lambda connection: deliveries.settle(connection, [result], now=clock.now()))


def _send(sender: WebhookSender, claim: DeliveryClaim, failures: int, now: datetime) -> Outcome:
    if failures >= FAILURES_IN_A_ROW:
        reason = f"the receiver behind connection `{claim.connection}` failed {failures} times in a row"
        return Outcome("unready", f"{reason}; a later run tries again")
    return sender.send(claim.connection, claim.delivery_id, claim.body, now=now)
