"""Posts a message to Slack; one whose answer got lost is posted again, and Slack cannot tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from rescore.connectors.session import Answer, NoAnswer, Session
from rescore.errors import ConfigurationError
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.outcome import Outcome


class SlackSender:
    """See `Sender`.

    Args:
        address_of: The address behind a Connection, which is a secret; raises a ConfigurationError when the
            Connection is missing or has not opted in.
        session: Bounds every attempt in time; its deadline must be shorter than a delivery's lease.
    """

    def __init__(self, address_of: Callable[[str], str], session: Session | None = None) -> None:
        self._address_of = address_of
        self._session = session or Session(seconds=20, largest=64 * 1024)

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """Post the text; Slack fetches none of the addresses in it."""
        try:
            address = self._address_of(claim.connection)
        except ConfigurationError as error:
            return Outcome("unready", str(error))
        text = slack_text(json.loads(claim.body)["text"])
        return post(self._session, address, text, name=claim.connection, now=now)


def post(
    session: Session, address: str, text: str, *, name: str, now: datetime, markup: bool = False
) -> Outcome:
    """One message; `name` is what the Connection is called in reasons. Without `markup` a `*` stays a `*`."""
    message = {"text": text, "mrkdwn": markup, "unfurl_links": False, "unfurl_media": False}
    try:
        answer = session.send("POST", address, json=message)
    except ConfigurationError as error:
        return Outcome("unready", str(error))
    except NoAnswer as error:
        return Outcome("unknown" if error.sent else "transient", str(error))
    return _outcome(answer, name, now)


def slack_text(text: str) -> str:
    """A text that mentions nobody and hides no address: Slack reads three characters as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _outcome(answer: Answer, connection: str, now: datetime) -> Outcome:
    reason = f"Slack answered {answer.status} to connection `{connection}`"
    wish = answer.retry_after(now)
    match answer.status:
        case 200:
            return Outcome("ok")
        case 400 | 413:
            return Outcome("record", f"{reason}: it does not take this message")
        case 401 | 403 | 404 | 410:
            return Outcome("auth", f"{reason}: make a new incoming webhook and put it into the Connection")
        case 429:
            return Outcome("quota", reason, 60.0 if wish is None else wish)
    return Outcome("transient", reason, wish)
