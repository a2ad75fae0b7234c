"""The Connections through which automations may write to colleagues: those that said so themselves."""

from __future__ import annotations

from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from rescore.delivery.actions.mail_server import MailServer, Tls
from rescore.errors import SettingsIncomplete

SLACK, EMAIL = "rescore_slack", "rescore_email"
"""What a Connection's extra says `true` to: whoever edits rules must not choose among all there are."""

PORTS = {"implicit": 465, "starttls": 587, "none": 25}


def slack_address(conn_id: str) -> str:
    """The incoming webhook behind a Connection of type `slackwebhook`, as Airflow's provider reads it.

    Raises:
        SettingsIncomplete: It is missing, of another type, without a token, or has not opted in.
    """
    _opted_in(conn_id, "slackwebhook", SLACK)
    return slack_webhook(conn_id)


def mail_server(conn_id: str) -> MailServer:
    """The mail server behind a Connection of type `smtp`.

    Raises:
        SettingsIncomplete: It is missing, of another type, without host or sender, or has not opted in.
    """
    return smtp_server(_opted_in(conn_id, "smtp", EMAIL))


def slack_webhook(conn_id: str) -> str:
    """The address, whoever asks.

    Raises:
        SettingsIncomplete: There is no token.
    """
    try:
        return SlackWebhookHook(slack_webhook_conn_id=conn_id).client.url
    except AirflowNotFoundException:
        raise SettingsIncomplete(
            f"the Connection `{conn_id}` has no incoming webhook of Slack; put its token into the password"
        ) from None


def smtp_server(found: Connection) -> MailServer:
    """The server, whoever asks; extra as Airflow's provider names it.

    Raises:
        SettingsIncomplete: There is no host, or nobody whom the mail is from.
    """
    extra = found.extra_dejson
    sender = extra.get("from_email")
    if not found.host or not isinstance(sender, str):
        raise SettingsIncomplete(
            f"the Connection `{found.conn_id}` needs a host, and an address to write from: put "
            '{"from_email": "rescore@example.com"} into its extra'
        )
    if extra.get("auth_type", "basic") != "basic":
        raise SettingsIncomplete(
            f"the Connection `{found.conn_id}` logs in by `{extra['auth_type']}`; only `basic` is known here"
        )
    # only a JSON true gives encryption up
    tls: Tls = "implicit"
    if extra.get("disable_ssl") is True:
        tls = "none" if extra.get("disable_tls") is True else "starttls"
    return MailServer(
        host=found.host,
        port=found.port or PORTS[tls],
        sender=sender,
        user=found.login or "",
        password=found.password or "",
        tls=tls,
        verify=extra.get("ssl_context") != "none",
    )


def _opted_in(conn_id: str, kind: str, opt_in: str) -> Connection:
    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise SettingsIncomplete(
            f"there is no Connection `{conn_id}`; create it under Admin, Connections, or set "
            f"AIRFLOW_CONN_{conn_id.upper()}"
        ) from None
    if found.conn_type != kind:
        raise SettingsIncomplete(
            f"the Connection `{conn_id}` is of type `{found.conn_type}`; make it `{kind}`"
        )
    if found.extra_dejson.get(opt_in) is not True:
        raise SettingsIncomplete(
            f"the Connection `{conn_id}` does not allow Rescore to write through it; if it may, write "
            f'{{"{opt_in}": true}} into its extra'
        )
    return found
