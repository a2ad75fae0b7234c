"""Sends a plain-text e-mail to colleagues, at most once: what may have gone out is not sent again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from rescore.delivery.actions.mail_server import MailServer, hand_over, plain_message
from rescore.errors import ConfigurationError
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.messages import ADDRESS, CONTROL, House
from rescore.outcome import Outcome


class EmailSender:
    """See `Sender`.

    Args:
        server_of: The mail server behind a Connection; raises a ConfigurationError when it is missing or has
            not opted in.
        house: Says which addresses are internal.
        seconds: How long one attempt may take in all; must be shorter than a delivery's lease.
    """

    def __init__(
        self, server_of: Callable[[str], MailServer], house: House, *, seconds: float = 30.0
    ) -> None:
        self._server_of = server_of
        self._house = house
        self._seconds = seconds

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """One attempt; an `uncertain` claim is not sent, because nobody can ask a mailbox."""
        if claim.uncertain:
            return Outcome("unknown", "an earlier attempt may have sent this e-mail, so it is not sent again")
        try:
            server = self._server_of(claim.connection)
        except ConfigurationError as error:
            return Outcome("unready", str(error))
        said: dict[str, Any] = json.loads(claim.body)
        if refused := _refused(said["to"], said["subject"], self._house):
            return refused
        if not ADDRESS.fullmatch(server.sender):
            return Outcome("unready", f"`from_email` of connection `{claim.connection}` is no plain address")
        message = plain_message(
            server.sender, said["to"], said["subject"], said["text"], message_id=claim.delivery_id, now=now
        )
        return hand_over(message, said["to"], server, seconds=self._seconds, name=claim.connection)


def _refused(to: Sequence[str], subject: str, house: House) -> Outcome | None:
    """The rules were checked when they were adopted; what is internal may have changed since."""
    if not to or not all(house.is_internal(address) for address in to):
        return Outcome("record", "a recipient is outside `internal_domains` of the policy file")
    if CONTROL.search(subject):
        return Outcome("record", "the subject has more than one line, which could forge headers")
    return None
