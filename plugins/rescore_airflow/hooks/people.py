"""Tells people, through the Connection `rescore_notifier`: a Slack channel, or mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from rescore.connectors.session import Session
from rescore.delivery.actions.mail_server import hand_over, plain_message
from rescore.delivery.actions.slack import post, slack_text
from rescore.errors import RetryableError, SettingsIncomplete
from rescore.outcome import Outcome
from rescore_airflow.hooks.messages import slack_webhook, smtp_server

NOTIFIER = "rescore_notifier"
SECONDS = 20.0
"""Telling people must not keep a run waiting."""

Tell = Callable[[str, str], None]
"""Takes a subject and a text of a few lines, without lead data."""


def people() -> Tell | None:
    """How to tell people; None when there is no such Connection.

    Raises:
        SettingsIncomplete: The Connection is of another type, or says nowhere to send to.
    """
    try:
        found = BaseHook.get_connection(NOTIFIER)
    except AirflowNotFoundException:
        return None
    channels = {"slackwebhook": _slack, "smtp": _mail}
    if found.conn_type not in channels:
        raise SettingsIncomplete(
            f"the Connection {NOTIFIER} is of type `{found.conn_type}`; make it `slackwebhook` or `smtp`"
        )
    return channels[found.conn_type](found)


def _slack(_: Connection) -> Tell:
    address, session = slack_webhook(NOTIFIER), Session(seconds=SECONDS, largest=64 * 1024)

    def tell(subject: str, text: str) -> None:
        message = f"*{slack_text(subject)}*\n{slack_text(text)}"
        _told(post(session, address, message, name=NOTIFIER, now=datetime.now(UTC), markup=True))

    return tell


def _mail(found: Connection) -> Tell:
    to = found.extra_dejson.get("to")
    if not to:
        raise SettingsIncomplete(
            f"the Connection {NOTIFIER} does not say whom to write to; put "
            '{"to": "team@example.com"} into its extra'
        )
    server, recipients = smtp_server(found), [to] if isinstance(to, str) else list(to)

    def tell(subject: str, text: str) -> None:
        message = plain_message(
            server.sender,
            recipients,
            f"Rescore: {subject}",
            text,
            message_id=str(uuid4()),
            now=datetime.now(UTC),
        )
        _told(hand_over(message, recipients, server, seconds=SECONDS, name=NOTIFIER))

    return tell


def _told(outcome: Outcome) -> None:
    """Whoever tells people goes on when it fails, with this sentence in its log."""
    if outcome.kind != "ok":
        raise RetryableError(f"nobody was told: {outcome.reason}")
