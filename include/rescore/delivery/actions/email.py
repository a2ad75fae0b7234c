"""Sends a plain-text e-mail to colleagues, at most once: what may have gone out is not sent again."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from rescore.delivery.actions.mail_server import MailServer, hand_over
from rescore.delivery.outcome import Outcome
from rescore.errors import ConfigurationError
from rescore.ledger.deliveries import DeliveryClaim

ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
"""No quotes, comments or names, and none of the signs by which a server may pass mail on (`%`, `!`)."""

NOT_IN_A_LINE = {"Cc", "Zl", "Zp"}
"""Unicode's categories of control characters and of what ends a line or a paragraph."""


class EmailSender:
    """See `Sender`.

    Args:
        server_of: The mail server behind a Connection; raises a ConfigurationError when it is missing or has
            not opted in.
        internal: The domains that mail may go to, in lower case, each without those below it.
        seconds: How long one attempt may take in all; must be shorter than a delivery's lease.
    """

    def __init__(
        self, server_of: Callable[[str], MailServer], internal: Collection[str], *, seconds: float = 30.0
    ) -> None:
        self._server_of = server_of
        self._internal = frozenset(internal)
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
        if refused := _refused(said["to"], said["subject"], self._internal):
            return refused
        if not ADDRESS.fullmatch(server.sender):
            return Outcome("unready", f"`from_email` of connection `{claim.connection}` is no plain address")
        message = _message(said, server.sender, claim.delivery_id, now)
        return hand_over(message, said["to"], server, seconds=self._seconds, name=claim.connection)


def _refused(to: Sequence[str], subject: str, internal: frozenset[str]) -> Outcome | None:
    """The rules were checked when they were adopted; what is internal may have changed since."""
    for address in to:
        found = ADDRESS.fullmatch(address)
        if found is None or found[1].lower() not in internal:
            return Outcome("record", "a recipient is outside the internal domains of the policy file")
    if not to:
        return Outcome("record", "there is no recipient")
    if any(unicodedata.category(character) in NOT_IN_A_LINE for character in subject):
        return Outcome("record", "the subject has more than one line, which could forge headers")
    return None


def _message(said: dict[str, Any], sender: str, delivery_id: str, now: datetime) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(said["to"])
    message["Subject"] = said["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{delivery_id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(said["text"])
    return message
