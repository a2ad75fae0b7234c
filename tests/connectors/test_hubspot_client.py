"""One call to HubSpot: what each kind of answer means, and what a person is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from rescore.connectors.hubspot.client import Client, Limits, Refused
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable
from rescore.outcome import outcome_of
from tests.connectors.pretend_server import PretendServer, Reply

TOKEN = "pat-eu1-secret"
MISSING_SCOPE = {
    "status": "error",
    "category": "MISSING_SCOPES",
    "errors": [{"message": "...", "context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
}


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply(body={"fine": True})) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(server: PretendServer, clock: Clock, **limits: float) -> Client:
    return Client(server.url, TOKEN, Limits(**limits), clock=clock, sleep=clock.sleep)  # type: ignore[arg-type]


def test_the_token_travels_in_the_header_only(server, clock):
    assert client(server, clock).get("/crm/x", {"limit": 1}) == {"fine": True}
    assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert server.asked[0].query == {"limit": "1"}


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        pytest.param(
            Reply(401),
            CrmRejectedCredentials,
            "password of the Airflow Connection `rescore_hubspot`",
            id="401",
        ),
        pytest.param(
            Reply(403, MISSING_SCOPE), CrmRejectedCredentials, "`crm.objects.contacts.read`", id="403 scope"
        ),
        pytest.param(
            Reply(403, b"<html>no"), CrmRejectedCredentials, "the scope that this call needs", id="403 HTML"
        ),
        pytest.param(
            Reply(200, b"<html>hello"), CrmUnavailable, "check the host of the Airflow Connection", id="HTML"
        ),
        pytest.param(Reply(200, b'{"a": '), CrmUnavailable, "is not JSON", id="half JSON"),
        pytest.param(Reply(200, b"[1]"), CrmUnavailable, "is not JSON", id="a list"),
        pytest.param(Reply(200, b"[" * 50_000), CrmUnavailable, "is not JSON", id="nested too deep"),
        pytest.param(Reply(200, b'"\xff\xfe"'), CrmUnavailable, "is not JSON", id="not UTF-8"),
        pytest.param(Reply(302, headers={"Location": "/x"}), CrmUnavailable, "redirect", id="redirect"),
        pytest.param(Reply(404, b"<html>not here"), CrmUnavailable, "is not JSON", id="another server"),
        pytest.param(Reply(500, b"oops"), CrmUnavailable, "500", id="500"),
        pytest.param(Reply(502, b"<html>bad gateway"), CrmUnavailable, "502", id="502"),
        pytest.param(Reply(408), CrmUnavailable, "408", id="408"),
        pytest.param(Reply(raw=b""), CrmUnavailable, "did not answer", id="cut"),
        pytest.param(
            Reply(400, {"category": "VALIDATION_ERROR"}), Refused, "400, VALIDATION_ERROR", id="400"
        ),
        pytest.param(Reply(404, {"category": "OBJECT_NOT_FOUND"}), Refused, "404", id="404"),
        pytest.param(Reply(423, {}), Refused, "423", id="locked"),
    ],
)
def test_every_kind_of_answer_is_an_error_that_says_what_to_do(server, clock, reply, error, says):
    server.answer = lambda asked: reply
    with pytest.raises(error) as caught:
        client(server, clock).post("/crm/x", {})
    assert says in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        pytest.param(Reply(429, {}, {"Retry-After": "3"}), 3.0, id="a header"),
        pytest.param(Reply(429, {"policyName": "SECONDLY"}), 1.0, id="a policy of one second"),
        pytest.param(Reply(429, {"policyName": "TEN_SECONDLY_ROLLING"}), 10.0, id="a policy of ten seconds"),
        pytest.param(Reply(429, b"slow down"), 10.0, id="nothing but the status"),
        pytest.param(
            Reply(200, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "SECONDLY"}),
            1.0,
            id="a success that names a policy",
        ),
        pytest.param(
            Reply(200, {"status": "error", "category": "RATE_LIMITS"}, {"Retry-After": "4"}),
            4.0,
            id="a success with a category",
        ),
        pytest.param(
            Reply(403, {"status": "error", "category": "RATE_LIMITS"}), 10.0, id="forbidden for a while"
        ),
        pytest.param(Reply(429, {}, {"Retry-After": "soon"}), 10.0, id="a header that is no number"),
    ],
)
def test_a_short_wait_is_waited_and_the_call_made_again(server, clock, reply, seconds):
    replies = [reply, reply, Reply(body={"fine": True})]
    server.answer = lambda asked: replies.pop(0)
    assert client(server, clock).get("/crm/x") == {"fine": True}
    assert clock.slept == [seconds, seconds]


def test_a_limit_until_a_date_is_kept(server, clock):
    until = datetime.now(UTC) + timedelta(hours=1)
    server.answer = lambda asked: Reply(429, {}, {"Retry-After": format_datetime(until, usegmt=True)})
    with pytest.raises(CrmRateLimited, match=r"and asks to come back in 3\d{3} seconds") as caught:
        client(server, clock).get("/crm/x")
    assert 3_500 < caught.value.retry_after <= 3_600
    assert clock.slept == []


def test_a_limit_in_the_body_of_a_success_is_one_sentence_that_names_it(server, clock):
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY", "message": "You have ..."}
    server.answer = lambda asked: Reply(200, body)
    with pytest.raises(CrmRateLimited) as caught:
        client(server, clock).post("/crm/x", {})
    assert str(caught.value) == "HubSpot limits POST /crm/x (DAILY); come back in 3600 seconds"


def test_what_would_be_made_twice_is_not_made_again_where_a_success_speaks_of_a_limit(server, clock):
    limit = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "SECONDLY"}
    replies = [Reply(429, limit), Reply(200, limit)]
    server.answer = lambda asked: replies.pop(0)
    with pytest.raises(CrmUnavailable, match=r"a success \(200\) and with a limit") as caught:
        client(server, clock).make("/crm/tasks", {})
    assert caught.value.sent, "it may have been made"
    assert len(server.asked) == 2, "a plain 429 refuses, and the call is made again"


def test_a_wait_that_was_asked_for_is_said_to_be(server, clock):
    server.answer = lambda asked: Reply(429, {"policyName": "DAILY"}, {"Retry-After": "900"})
    with pytest.raises(CrmRateLimited) as caught:
        client(server, clock).post("/crm/x", {})
    assert str(caught.value) == "HubSpot limits POST /crm/x (DAILY) and asks to come back in 900 seconds"


def test_a_result_that_is_called_an_error_of_its_own_is_no_limit(server, clock):
    server.answer = lambda asked: Reply(body={"results": [{"status": "error", "category": "RATE_LIMITS"}]})
    assert "results" in client(server, clock).get("/crm/x")


def test_a_long_wait_is_left_to_the_next_run(server, clock):
    server.answer = lambda asked: Reply(429, {"policyName": "DAILY"}, {"Retry-After": "5400"})
    with pytest.raises(CrmRateLimited, match="DAILY") as caught:
        client(server, clock).get("/crm/x")
    assert caught.value.retry_after == 5400
    assert len(server.asked) == 1
    assert clock.slept == []


@pytest.mark.parametrize(("header", "wish"), [("90", 90.0), ("soon", None), (None, None)])
def test_a_server_in_trouble_says_when_to_come_back(server, clock, header, wish):
    server.answer = lambda asked: Reply(503, {}, {} if header is None else {"Retry-After": header})
    with pytest.raises(CrmUnavailable) as caught:
        client(server, clock).get("/crm/x")
    assert outcome_of(caught.value).retry_after == wish


def test_waiting_has_an_end(server, clock):
    server.answer = lambda asked: Reply(429, {}, {"Retry-After": "2"})
    with pytest.raises(CrmRateLimited):
        client(server, clock, waits=3).get("/crm/x")
    assert len(server.asked) == 4
    assert clock.slept == [2, 2, 2]


def test_calls_keep_below_the_limit_by_waiting_themselves(server, clock):
    paced = client(server, clock, calls=4, calls_seconds=10)
    for _ in range(9):
        paced.get("/crm/x")
    assert clock.now == 20
    assert len(clock.slept) == 2


def test_searches_have_a_slower_pace_of_their_own(server, clock):
    paced = client(server, clock, searches=2, searches_seconds=1)
    for _ in range(5):
        paced.search("/crm/x/search", {})
    assert clock.now == 2
