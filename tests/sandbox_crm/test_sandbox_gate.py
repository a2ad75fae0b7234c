"""Before the API: token, rate limits and their headers, latency, and scripted faults."""

import time
from datetime import timedelta

import pytest
import requests

from sandbox_crm.sandbox import Limits
from sandbox_crm.testing import SandboxServer
from tests.sandbox_crm.client import EVENTS, OBJECTS, Crm
from tests.sandbox_crm.conftest import ENDS_AT

ACCOUNT = "/account-info/2026-09/details"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no token"),
        pytest.param({"Authorization": "Bearer wrong"}, id="another token"),
        pytest.param({"Authorization": "pat-sandbox-0000"}, id="no Bearer"),
    ],
)
@pytest.mark.parametrize("path", [ACCOUNT, EVENTS, "/email/public/v1/events", "/marketing/v3/forms"])
def test_without_the_token_every_endpoint_answers_401_in_the_vendors_words(reading: Crm, headers, path):
    answer = requests.get(reading.server.url + path, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"


def test_the_account_says_who_it_is_and_how_much_was_called(crm: Crm):
    assert {"portalId", "timeZone"} <= crm.get(ACCOUNT).json().keys()
    (usage,) = crm.get("/account-info/2026-09/api-usage/daily/private-apps").json()["results"]
    assert usage["currentUsage"] == 2


def test_answers_carry_the_rate_limit_headers_except_those_of_searches(world):
    with SandboxServer(world, limits=Limits()) as server:
        crm = Crm(server)
        headers = crm.get(ACCOUNT).headers
        assert headers["X-HubSpot-RateLimit-Max"] == "190"
        assert headers["X-HubSpot-RateLimit-Remaining"] == "189"
        assert "X-HubSpot-RateLimit-Max" not in crm.search("contacts").headers


def test_beyond_the_limit_of_ten_seconds_calls_are_429_and_say_how_long_to_wait(world):
    with SandboxServer(world, limits=Limits(per_ten_seconds=3)) as server:
        server.sandbox.clock = lambda: ENDS_AT
        crm = Crm(server)
        answers = [crm.get(ACCOUNT) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json()["policyName"] == "TEN_SECONDLY_ROLLING"
        assert answers[3].json()["errorType"] == "RATE_LIMIT"
        assert int(answers[3].headers["Retry-After"]) == 10
        assert crm.status()["refused"] == {"429": 1}
        server.sandbox.clock = lambda: ENDS_AT + timedelta(seconds=10)
        assert crm.get(ACCOUNT).status_code == 200


def test_searches_have_a_limit_of_their_own_a_second(world):
    with SandboxServer(world, limits=Limits(search_per_second=2)) as server:
        server.sandbox.clock = lambda: ENDS_AT
        crm = Crm(server)
        answers = [crm.search("contacts", limit=1) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].json()["policyName"] == "SECONDLY"
        assert crm.get(ACCOUNT).status_code == 200, "other calls go on"


def test_the_day_has_a_limit_too(world):
    with SandboxServer(world, limits=Limits(per_day=1)) as server:
        crm = Crm(server)
        assert crm.get(ACCOUNT).status_code == 200
        assert crm.get(ACCOUNT).json()["policyName"] == "DAILY"


def test_the_sandboxs_own_pages_need_no_token_and_count_against_no_limit(world):
    with SandboxServer(world, limits=Limits(per_ten_seconds=1)) as server:
        assert [requests.get(server.url + "/sandbox/status", timeout=10).status_code for _ in range(3)] == [
            200
        ] * 3


def test_each_call_waits_the_latency_first(world):
    with SandboxServer(world, latency=0.05) as server:
        crm, started = Crm(server), time.monotonic()
        crm.get(ACCOUNT)
        assert time.monotonic() - started >= 0.05


def test_calls_are_counted_by_endpoint_with_ids_folded(crm: Crm):
    for contact in (100001, 100002):
        crm.get(f"{OBJECTS}/contacts/{contact}")
    crm.search("calls")
    assert crm.status()["calls"] == {
        "GET /crm/objects/2026-09/contacts/{id}": 2,
        "POST /crm/objects/2026-09/calls/search": 1,
    }


def test_a_scripted_status_is_answered_as_often_as_it_was_asked_for(crm: Crm):
    fault = {
        "path": "/account-info/",
        "status": 503,
        "body": {"message": "maintenance"},
        "count": 2,
        "skip": 1,
    }
    crm.post("/sandbox/faults", {"faults": [fault | {"headers": {"Retry-After": "7"}}]})
    answers = [crm.get(ACCOUNT) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].json() == {"message": "maintenance"}
    assert answers[1].headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("cut", "title"),
    [pytest.param("after", "changed", id="written"), pytest.param("before", "CFO", id="not written")],
)
def test_a_connection_can_be_cut_before_or_after_a_write_landed(crm: Crm, cut, title):
    crm.update({"id": "100001", "properties": {"jobtitle": "CFO"}})
    crm.post("/sandbox/faults", {"faults": [{"path": OBJECTS, "method": "POST", "cut": cut}]})
    with pytest.raises(requests.ConnectionError):
        crm.update({"id": "100001", "properties": {"jobtitle": "changed"}})
    found = crm.get(f"{OBJECTS}/contacts/100001", properties="jobtitle").json()
    assert found["properties"]["jobtitle"] == title
    assert crm.status()["faults"] == {"waiting": 0, "played": 1}


def test_a_scripted_delay_keeps_a_client_waiting(crm: Crm):
    crm.post("/sandbox/faults", {"faults": [{"path": "/account-info/", "delay": 0.1}]})
    assert crm.get(ACCOUNT).elapsed >= timedelta(seconds=0.1)


def test_an_answer_can_be_kept_back_when_the_write_has_landed(crm: Crm):
    crm.post("/sandbox/faults", {"faults": [{"path": OBJECTS, "method": "POST", "late": 0.1}]})
    answer = crm.update({"id": "100001", "properties": {"jobtitle": "changed"}})
    assert answer.elapsed >= timedelta(seconds=0.1)
    assert answer.json()["results"][0]["properties"]["jobtitle"] == "changed"


def test_a_webhook_can_be_refused_by_script(crm: Crm):
    crm.post("/sandbox/faults", {"faults": [{"path": "/sandbox/hooks/", "status": 503}]})
    refused, unsigned = (crm.post("/sandbox/hooks/sales", {}) for _ in range(2))
    assert [refused.status_code, unsigned.status_code] == [503, 401]
