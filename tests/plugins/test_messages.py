"""Connections that automations write through have to be of their type, complete, and to have opted in."""

import json

import pytest

from rescore.delivery.actions.mail_server import MailServer
from rescore.errors import SettingsIncomplete
from rescore_airflow.hooks.messages import mail_server, slack_address

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

TOKEN = "T000/B000/notforanyone"
FROM = {"rescore_email": True, "from_email": "rescore@example.com"}


def connect(deployment, conn_type: str, **fields) -> None:
    deployment.environment["AIRFLOW_CONN_OFFICE"] = json.dumps({"conn_type": conn_type, **fields})
    deployment.connect("unused", "https://unused.example", "")


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"password": TOKEN}, f"https://hooks.slack.com/services/{TOKEN}"),
        ({"password": f"https://slack.example/{TOKEN}"}, f"https://slack.example/{TOKEN}"),
        ({"host": "https://slack.example/x", "password": TOKEN}, f"https://slack.example/x/{TOKEN}"),
    ],
    ids=["token", "whole address", "host and token"],
)
def test_a_slack_connection_as_airflows_provider_reads_it(deployment, fields, address):
    connect(deployment, "slackwebhook", extra={"rescore_slack": True}, **fields)
    assert slack_address("office") == address


@pytest.mark.parametrize(
    ("extra", "port", "expected"),
    [
        ({}, None, {"port": 465, "tls": "implicit"}),
        ({"disable_ssl": True}, None, {"port": 587, "tls": "starttls"}),
        ({"disable_ssl": True, "disable_tls": True}, 2525, {"port": 2525, "tls": "none"}),
        ({"disable_ssl": "false", "disable_tls": "true"}, None, {"port": 465, "tls": "implicit"}),
        ({"ssl_context": "none"}, None, {"port": 465, "verify": False}),
    ],
    ids=["TLS", "STARTTLS", "no TLS", "texts are not true", "certificate not checked"],
)
def test_an_smtp_connection_as_airflows_provider_reads_it(deployment, extra, port, expected):
    connect(
        deployment, "smtp", host="mail.example", port=port, login="rescore", password="p", extra=FROM | extra
    )
    fields = {"host": "mail.example", "sender": "rescore@example.com", "user": "rescore", "password": "p"}
    assert mail_server("office") == MailServer(**fields | expected)


@pytest.mark.parametrize(
    ("find", "conn_type", "fields", "sentence"),
    [
        pytest.param(
            slack_address, "slackwebhook", {"password": TOKEN}, "does not allow", id="slack: not in"
        ),
        pytest.param(
            slack_address,
            "slackwebhook",
            {"password": TOKEN, "extra": {"rescore_slack": "true"}},
            "does not allow",
            id="slack: a text is not true",
        ),
        pytest.param(
            slack_address,
            "slackwebhook",
            {"password": TOKEN, "extra": {"rescore_email": True}},
            "does not allow",
            id="slack: opted in for mail",
        ),
        pytest.param(
            slack_address,
            "slackwebhook",
            {"extra": {"rescore_slack": True}},
            "no incoming webhook",
            id="no token",
        ),
        pytest.param(
            slack_address, "http", {"extra": {"rescore_slack": True}}, "of type `http`", id="a type"
        ),
        pytest.param(
            mail_server,
            "smtp",
            {"host": "m", "extra": {"from_email": "a@b.c"}},
            "not allow",
            id="mail: not in",
        ),
        pytest.param(mail_server, "smtp", {"extra": FROM}, "needs a host", id="mail: no host"),
        pytest.param(
            mail_server,
            "smtp",
            {"host": "m", "extra": {"rescore_email": True}},
            "to write from",
            id="no sender",
        ),
        pytest.param(
            mail_server,
            "smtp",
            {"host": "m", "extra": FROM | {"auth_type": "oauth2"}},
            "`oauth2`",
            id="oauth2",
        ),
    ],
)
def test_what_does_not_hold_is_a_sentence_without_a_secret(deployment, find, conn_type, fields, sentence):
    connect(deployment, conn_type, **fields)
    with pytest.raises(SettingsIncomplete, match=sentence) as caught:
        find("office")
    assert "notforanyone" not in str(caught.value)


@pytest.mark.parametrize("find", [slack_address, mail_server])
def test_a_connection_nobody_made_is_a_sentence(deployment, find):
    with pytest.raises(SettingsIncomplete, match="there is no Connection `unheard_of`; create it"):
        find("unheard_of")
