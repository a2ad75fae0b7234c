"""What sends deliveries of one kind."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.outcome import Outcome


class Sender(Protocol):
    """Does what one kind of delivery says, once for each claim, and answers with what became of it.

    The claim's body is frozen when the lead crosses, and `rescore.automations.action_body` says what it
    holds; the id is the same over every attempt. A claim that is `uncertain` may have had its effect already:
    look it up under its id, or answer `unknown`.
    """

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """Send it; everything expected to go wrong is an Outcome, and no reason holds a value of the lead."""
