"""What a person is told when HubSpot will not: one sentence that names the thing and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import CrmFieldMissing, CrmRateLimited, CrmUnavailable, RescoreError
from tests.connectors.conftest import NOW
from tests.connectors.pretend_server import PretendServer, Reply

LIMITS = Limits(calls=10**6, searches=10**6, waits=0)
SCOPE = {"errors": [{"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}]}
DAILY = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY"}
MISSING = {"category": "VALIDATION_ERROR", "errors": [{"code": "PROPERTY_DOESNT_EXIST"}]}
ASKS = {
    "reading contacts": lambda crm: list(crm.pages("contacts", None, until=NOW)),
    "reading deleted contacts": lambda crm: list(crm.pages("deleted contacts", None, until=NOW)),
    "reading deals": lambda crm: list(crm.pages("deals", None, until=NOW)),
    "reading calls": lambda crm: list(crm.pages("calls", None, until=NOW)),
    "reading page views": lambda crm: list(crm.pages("page_views", None, until=NOW)),
    "writing": lambda crm: crm.write([ScoreUpdate("1", {"rescore_score": 1})]),
    "reading back": lambda crm: crm.read(["1"], ["rescore_score"]),
    "the history": lambda crm: crm.edits(["1"], ["rescore_score"]),
    "which account": lambda crm: crm.fingerprint(),
    "setting up": lambda crm: crm.setup(),
    "checking": lambda crm: crm.check(),
}


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply()) as server:
        yield server


@pytest.fixture
def hubspot(server, mapping) -> HubSpot:
    return HubSpot(server.url, "pat-secret", mapping, LIMITS)


def told(crm: HubSpot, ask: Any) -> RescoreError:
    with pytest.raises(RescoreError) as caught:
        ask(crm)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "pat-secret" not in sentence
    return caught.value


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_bad_credentials(server, hubspot, ask):
    server.answer = lambda asked: Reply(401, {"category": "INVALID_AUTHENTICATION"})
    assert str(told(hubspot, ask)) == (
        "HubSpot refused the token (401): put a valid private app token into the password of the Airflow "
        "Connection `rescore_hubspot`"
    )


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_a_page_of_html(server, hubspot, ask):
    html = {"Content-Type": "text/html;charset=utf-8"}
    server.answer = lambda asked: Reply(200, b"<html>log in</html>", html)
    error = told(hubspot, ask)
    assert isinstance(error, CrmUnavailable)
    assert str(error).endswith(
        "is not JSON (200, text/html, 19 bytes); check the host of the Airflow Connection `rescore_hubspot`"
    )


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_a_limit_in_the_body_of_a_success(server, hubspot, ask):
    server.answer = lambda asked: Reply(200, DAILY)
    error = told(hubspot, ask)
    assert isinstance(error, CrmRateLimited)
    assert str(error).endswith(" (DAILY); come back in 3600 seconds")


def test_a_scope_that_was_taken_away(server, hubspot):
    server.answer = lambda asked: Reply(403, SCOPE)
    assert str(told(hubspot, ASKS["reading deals"])) == (
        "HubSpot does not let this token do POST /crm/objects/2026-09/deals/search (403): give the private "
        "app behind the Airflow Connection `rescore_hubspot` the scope `crm.objects.deals.read`, or take "
        "this stream out of the mapping"
    )


def test_a_property_that_somebody_deleted(server, hubspot):
    server.answer = lambda asked: Reply(400, MISSING)
    error = told(hubspot, ASKS["writing"])
    assert isinstance(error, CrmFieldMissing)
    assert str(error).endswith("run `rescore setup hubspot` to create it")


def test_a_path_that_is_no_more(server, hubspot):
    server.answer = lambda asked: Reply(404, {"category": "NOT_FOUND"})
    assert str(told(hubspot, ASKS["reading calls"])) == (
        "HubSpot refused POST /crm/objects/2026-09/calls/search (404, NOT_FOUND); check `calls` in the "
        "mapping `hubspot`"
    )


def test_a_right_to_write_that_is_missing_has_to_do_with_no_stream(server, hubspot):
    server.answer = lambda asked: Reply(403, SCOPE)
    said = str(told(hubspot, ASKS["writing"]))
    assert said.startswith("HubSpot does not let this token do POST ")
    assert "give the private app behind the Airflow Connection `rescore_hubspot` the scope `" in said
    assert "stream" not in said
