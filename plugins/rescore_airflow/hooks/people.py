"""Tells people, through the Connection `rescore_notifier`: a Slack channel, or mail."""

from __future__ import annotations

import html
from collections.abc import Callable

from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook
from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from rescore.errors import RetryableError, SettingsIncomplete

NOTIFIER = "rescore_notifier"
SECONDS = 20
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
    def tell(subject: str, text: str) -> None:
        try:
            hook = SlackWebhookHook(slack_webhook_conn_id=NOTIFIER, timeout=SECONDS)
            hook.send_text(f"*{_slack_text(subject)}*\n{_slack_text(text)}", unfurl_links=False)
        except Exception as error:
            # slack_sdk, urllib and the hook raise errors of many families, some with the secret URL in them
            raise RetryableError(f"Slack did not take the message ({type(error).__name__})") from None

    return tell


def _mail(found: Connection) -> Tell:
    to = found.extra_dejson.get("to")
    if not to:
        raise SettingsIncomplete(
            f"the Connection {NOTIFIER} does not say whom to write to; put "
            '{"to": "team@example.com"} into its extra'
        )

    def tell(subject: str, text: str) -> None:
        body = "<br>\n".join(html.escape(line) for line in text.splitlines())
        try:
            with SmtpHook(smtp_conn_id=NOTIFIER) as hook:
                hook.send_email_smtp(to=to, subject=f"Rescore: {subject}", html_content=body)
        except Exception as error:
            # smtplib's errors hold addresses, which are personal data
            raise RetryableError(
                f"the mail server did not take the message ({type(error).__name__})"
            ) from None

    return tell


def _slack_text(text: str) -> str:
    """Slack reads three characters as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
