"""A message to Slack, over a real socket: nothing in it is taken as markup, and no secret is ever shown."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from rescore.connectors.addresses import AllowedHosts
from rescore.connectors.session import Session
from rescore.delivery.actions.slack import SlackSender
from rescore.errors import SettingsIncomplete
from rescore.outcome import Outcome
from rescore.rules.actions import SlackMessage
from tests.connectors.pretend_server import PretendServer, Reply
from tests.delivery.actions.claims import NOW, a_claim

SECRET = "/services/T000/B000/notforanyone"

AS_TEXT = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
"""What Slack documents for a message without markup, without links and without previews."""


@pytest.fixture
def slack() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply(200, b"ok")) as server:
        yield server


def send(slack: PretendServer, text: str = "{label} is hot", **places: str) -> Outcome:
    sender = SlackSender(lambda connection: slack.url + SECRET, Session(seconds=20))
    return sender.send(a_claim(SlackMessage("sales_slack", text), **places), now=NOW)


def test_the_message_arrives_and_slack_fetches_nothing_for_it(slack):
    assert send(slack, label="Product qualified") == Outcome("ok")
    [asked] = slack.asked
    assert (asked.method, asked.path) == ("POST", SECRET)
    assert asked.json == {"text": "Product qualified is hot", **AS_TEXT}


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U012AB3CD>", "&lt;@U012AB3CD&gt;"),
        ("<https://evil.example|the CRM>", "&lt;https://evil.example|the CRM&gt;"),
        ("a & b &lt;!here&gt;", "a &amp; b &amp;lt;!here&amp;gt;"),
        ("*c* https://evil.example/ _d_ `e` ~f~", "*c* https://evil.example/ _d_ `e` ~f~"),
    ],
)
def test_what_slack_would_take_as_its_own_is_shown_as_it_is(slack, hostile, shown):
    send(slack, label=hostile)
    assert slack.asked[0].json == {"text": f"{shown} is hot", **AS_TEXT}


@pytest.mark.parametrize(
    ("reply", "kind", "retry_after"),
    [
        pytest.param(Reply(400, b"invalid_payload"), "record", None, id="400"),
        pytest.param(Reply(401), "auth", None, id="401"),
        pytest.param(Reply(403, b"invalid_token"), "auth", None, id="403"),
        pytest.param(Reply(404, b"no_service"), "auth", None, id="404"),
        pytest.param(Reply(410, b"channel_is_archived"), "auth", None, id="410"),
        pytest.param(Reply(429, headers={"Retry-After": "30"}), "quota", 30.0, id="429"),
        pytest.param(
            Reply(429, headers={"Retry-After": format_datetime(NOW + timedelta(seconds=45), usegmt=True)}),
            "quota",
            45.0,
            id="429 until a date",
        ),
        pytest.param(Reply(429), "quota", 60.0, id="429 without a wait"),
        pytest.param(Reply(302, headers={"Location": "http://127.0.0.1:9/"}), "transient", None, id="302"),
        pytest.param(Reply(500, b"rollup_error"), "transient", None, id="500"),
        pytest.param(Reply(503, headers={"Retry-After": "90"}), "transient", 90.0, id="503 with a wait"),
        pytest.param(Reply(raw=b""), "unknown", None, id="no answer"),
    ],
)
def test_what_an_answer_means_and_that_no_reason_shows_the_address(slack, reply, kind, retry_after):
    slack.answer = lambda asked: reply
    outcome = send(slack)
    assert (outcome.kind, outcome.retry_after) == (kind, retry_after)
    assert "notforanyone" not in (outcome.reason or "")
    assert len(slack.asked) == 1


def test_a_connection_that_is_not_ready_sends_nothing():
    def address_of(connection):
        raise SettingsIncomplete(f"the Connection `{connection}` does not allow Rescore to send to it")

    outcome = SlackSender(address_of).send(a_claim(SlackMessage("payroll", "hot")), now=NOW)
    assert outcome.kind == "unready"


def test_a_host_that_the_deployment_does_not_allow_is_not_asked(slack):
    sender = SlackSender(
        lambda connection: slack.url + SECRET,
        Session(seconds=20, allowed=AllowedHosts.read("hooks.slack.com")),
    )
    outcome = sender.send(a_claim(SlackMessage("sales_slack", "hot")), now=NOW)
    assert (outcome.kind, slack.asked) == ("unready", [])
    assert "notforanyone" not in outcome.reason
