"""People are told in Slack or by mail; when that fails nothing else does, and no secret shows."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from rescore.errors import RetryableError, SettingsIncomplete
from rescore_airflow.hooks.people import people
from tests.connectors.pretend_server import PretendServer, Reply

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

SECRET = "T000/B000/notforanyone"


def connect(deployment, conn_type: str, **fields) -> None:
    deployment.environment["AIRFLOW_CONN_RESCORE_NOTIFIER"] = json.dumps({"conn_type": conn_type, **fields})
    deployment.connect("unused", "https://unused.example", "")


@contextmanager
def mail_server() -> Iterator[tuple[int, list]]:
    received = []

    class Keep(Message):
        def handle_message(self, message) -> None:
            received.append(message)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, received
    finally:
        controller.stop()


def test_without_a_connection_there_is_nobody_to_tell(deployment):
    assert people() is None


def test_a_slack_channel_gets_subject_and_text_with_nothing_of_it_taken_as_markup(deployment):
    with PretendServer(lambda asked: Reply(200, b"ok")) as slack:
        connect(deployment, "slackwebhook", host=slack.url, password=SECRET)
        people()("a change of b2b_saas waits", "<!channel> 40 % of leads & more")
        (asked,) = slack.asked
    assert asked.path == f"/{SECRET}"
    assert asked.json["text"] == "*a change of b2b_saas waits*\n&lt;!channel&gt; 40 % of leads &amp; more"


def test_mail_goes_to_whom_the_connection_names(deployment):
    with mail_server() as (port, received):
        extra = {"to": "revops@example.com", "disable_ssl": True, "disable_tls": True}
        extra["from_email"] = "rescore@example.com"
        connect(deployment, "smtp", host="127.0.0.1", port=port, extra=extra)
        people()("a change waits", "310 leads <b>change</b> band")
    (message,) = received
    assert (message["To"], message["Subject"]) == ("revops@example.com", "Rescore: a change waits")
    assert message.get_content_type() == "text/plain"
    assert message.get_payload(decode=True).decode().strip() == "310 leads <b>change</b> band"


@pytest.mark.parametrize(
    ("conn_type", "fields", "sentence"),
    [
        pytest.param("http", {}, "is of type `http`; make it `slackwebhook` or `smtp`", id="another type"),
        pytest.param("smtp", {"host": "127.0.0.1"}, "does not say whom to write to", id="nobody to write to"),
        pytest.param(
            "smtp",
            {"host": "127.0.0.1", "extra": {"to": "a@b.example"}},
            "an address to write from",
            id="from nobody",
        ),
        pytest.param("slackwebhook", {}, "has no incoming webhook of Slack", id="no token"),
    ],
)
def test_a_connection_that_cannot_tell_anybody_is_a_sentence(deployment, conn_type, fields, sentence):
    connect(deployment, conn_type, **fields)
    with pytest.raises(SettingsIncomplete, match=sentence):
        people()


def test_a_channel_that_refuses_shows_no_secret(deployment):
    with PretendServer(lambda asked: Reply(403, b"invalid_token")) as slack:
        connect(deployment, "slackwebhook", host=slack.url, password=SECRET)
        with pytest.raises(RetryableError, match="nobody was told: Slack answered 403") as refused:
            people()("subject", "text")
    assert SECRET not in str(refused.value)


def test_a_mail_server_that_is_away_is_a_sentence(deployment):
    extra = {"to": "revops@example.com", "from_email": "rescore@example.com"}
    connect(deployment, "smtp", host="127.0.0.1", port=1, extra=extra)
    with pytest.raises(RetryableError, match=r"^nobody was told: the mail server .* broke off \(\w+\)$"):
        people()("subject", "text")
