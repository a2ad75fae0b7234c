"""One webhook: signed as Standard Webhooks says, judged by its status, never guessed."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from rescore.connectors.session import Session
from rescore.delivery.webhook import Endpoint, WebhookSender
from rescore.errors import SettingsIncomplete
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.outcome import Outcome
from tests.connectors.pretend_server import PretendServer, Reply

SECRET = "whsec_" + "c2FuZGJveC1zZWNyZXQtMDAwMDAwMDAw"
NEW_SECRET = "whsec_" + "bmV3LXNlY3JldC1uZXctc2VjcmV0LW5l"
BODY = '{"lead":"crm:1","score":120,"label":"Größe 🚀"}'.encode()
ID = "5d0f4c70-0000-5000-8000-000000000001"


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply(204)) as server:
        yield server


def sender(server: PretendServer, secret: str = SECRET) -> WebhookSender:
    return WebhookSender({"sales": Endpoint(server.url + "/hook?team=1", secret)}, Session(seconds=30))


def send(sender: WebhookSender, connection: str = "sales", now: datetime | None = None):
    claim = DeliveryClaim(
        delivery_id=ID,
        scorecard="b2b",
        automation="mql",
        lead="crm:1",
        kind="webhook",
        connection=connection,
        body=BODY,
        tries=0,
        uncertain=False,
        lease="w#1",
        attempt_id=1,
    )
    return sender.send(claim, now=now or datetime.now(UTC))


def test_the_receiver_can_verify_what_it_gets_and_the_body_is_what_was_frozen(server):
    assert send(sender(server)).kind == "ok"
    [asked] = server.asked
    Webhook(SECRET).verify(asked.body, asked.headers)
    assert asked.body == BODY
    assert asked.headers["webhook-id"] == ID
    assert asked.headers["content-type"] == "application/json"
    assert (asked.path, asked.query) == ("/hook", {"team": "1"})


def test_a_changed_body_does_not_verify(server):
    send(sender(server))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(server.asked[0].body.replace(b"120", b"999"), server.asked[0].headers)


def test_while_a_secret_rotates_both_the_old_and_the_new_one_verify(server):
    send(sender(server, f"{NEW_SECRET} {SECRET}"))
    for secret in (SECRET, NEW_SECRET):
        Webhook(secret).verify(server.asked[0].body, server.asked[0].headers)


def test_a_retry_has_the_same_id_and_body_and_a_time_and_signature_of_its_own(server):
    now = datetime.now(UTC)
    send(sender(server), now=now)
    send(sender(server), now=now + timedelta(minutes=2))
    first, second = server.asked
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 120
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, "ok") for status in (200, 201, 202, 204)],
        *[(status, "transient") for status in (301, 302, 307, 308, 400, 403, 404, 409, 422, 429, 500, 503)],
        (401, "auth"),
        (410, "gone"),
    ],
)
def test_only_2xx_succeeds_only_410_is_final_and_only_401_is_about_the_secret(server, status, kind):
    server.answer = lambda asked: Reply(status, headers={"Location": server.url + "/elsewhere"})
    assert send(sender(server)).kind == kind
    assert len(server.asked) == 1


def test_no_answer_after_sending_is_unknown_and_nothing_listening_is_not(server):
    server.answer = lambda asked: Reply(raw=b"")
    assert send(sender(server)).kind == "unknown"
    nowhere = WebhookSender({"sales": Endpoint("http://127.0.0.1:9/", SECRET)}, Session(seconds=30))
    assert send(nowhere).kind == "transient"


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("soon", None),
        ("", None),
    ],
)
def test_the_pause_a_receiver_asks_for_is_passed_on(server, header, seconds):
    server.answer = lambda asked: Reply(503, headers={"Retry-After": header})
    assert send(sender(server), now=NOW).retry_after == seconds


class OptedOut(dict):
    def __missing__(self, name):
        raise SettingsIncomplete(f"the Connection `{name}` does not allow Rescore to send to it")


@pytest.mark.parametrize(
    ("endpoints", "says"),
    [({}, "connection `sales` is missing"), (OptedOut(), "does not allow Rescore to send")],
    ids=["missing", "not opted in"],
)
def test_a_connection_that_is_not_ready_is_told_apart_and_nothing_is_sent(endpoints, says):
    outcome = send(WebhookSender(endpoints))
    assert outcome.kind == "unready"
    assert says in outcome.reason


def of_bytes(number: int) -> str:
    return f"whsec_{base64.b64encode(b'x' * number).decode()}"


@pytest.mark.parametrize("number", [24, 32, 64])
def test_a_secret_of_24_to_64_bytes_signs(server, number):
    assert send(sender(server, of_bytes(number))) == Outcome("ok")


@pytest.mark.parametrize(
    "secret",
    [
        *("", " ", "whsec_", "whsec_a", "geheim!", "whsec_gehe\u2013im"),
        *(of_bytes(3), of_bytes(23), of_bytes(65), f"{of_bytes(32)} {of_bytes(3)}"),
    ],
)
def test_a_secret_that_cannot_sign_is_told_before_anything_is_sent(server, secret):
    outcome = send(sender(server, secret))
    assert outcome.kind == "unready"
    assert "secret" in outcome.reason
    assert server.asked == []


def test_neither_address_nor_secret_is_ever_printed():
    endpoint = Endpoint("https://hooks.example/T0/very-secret", SECRET)
    assert "secret" not in repr(endpoint).replace("Endpoint(", "")


def test_a_host_that_the_deployment_does_not_allow_gets_nothing_and_spends_no_try(server):
    elsewhere = WebhookSender({"sales": Endpoint("https://hooks.example.net/mql", SECRET)})
    outcome = send(elsewhere)
    assert outcome.kind == "unready"
    assert outcome.reason.startswith("this deployment does not allow https://hooks.example.net;")
    assert server.asked == []
