"""The day's quota: what all apps have used is known before a run begins, even where no answer tells."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.delivery.shared_pace import SharedPace
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable
from tests.connectors.conftest import NOW
from tests.connectors.pretend_server import PretendServer, Reply

LIMITS = Limits(calls=10**6, searches=10**6, day=1000, reserve=0.2)
USAGE = "/account-info/2026-09/api-usage/daily/private-apps"


class Account:
    """An account whose searches carry no headers, as the vendor's do not."""

    def __init__(self, usage):
        self.usage = usage

    def __call__(self, asked):
        return self.usage if asked.path == USAGE else Reply(body={"results": []})


def used(number, ceiling=1000):
    row = {"name": "private-apps-api-calls-daily", "usageLimit": ceiling, "currentUsage": number}
    return Reply(body={"results": [row]})


@pytest.fixture
def begin(ledger, mapping):
    """A run's connector, at a moment: all of them share one count of calls."""

    def begin(server, at=NOW):
        pace = SharedPace(ledger, "hubspot", LIMITS.rates, clock=lambda: at)
        return HubSpot(server.url, "pat-1", mapping, LIMITS, pace=pace)

    return begin


def read(hubspot, at=NOW):
    return list(hubspot.pages("contacts", None, until=at))


def paths(server):
    return [asked.path for asked in server.asked]


def test_a_run_knows_what_others_have_used_before_its_first_search(begin):
    with PretendServer(Account(used(800))) as server, pytest.raises(CrmRateLimited, match="for other apps"):
        read(begin(server))
    assert paths(server) == [USAGE]


def test_it_is_asked_once_a_day_by_whoever_comes_first(begin):
    with PretendServer(Account(used(10))) as server:
        read(begin(server))
        read(begin(server))
        assert paths(server).count(USAGE) == 1
        tomorrow = NOW + timedelta(days=1)
        read(begin(server, tomorrow), tomorrow)
        assert paths(server).count(USAGE) == 2


def test_the_vendors_lower_ceiling_wins(begin):
    with PretendServer(Account(used(90, 100))) as server, pytest.raises(CrmRateLimited):
        read(begin(server))


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(Reply(404, {"category": "NOT_FOUND"}), id="no such path"),
        pytest.param(Reply(403, {"category": "MISSING_SCOPES"}), id="no scope"),
        pytest.param(Reply(502, b"<html>"), id="no answer"),
        pytest.param(Reply(200, {}), id="no list"),
        pytest.param(Reply(200, {"results": [{"currentUsage": "7"}, None, {}]}), id="no numbers"),
        pytest.param(used(-5), id="less than none"),
    ],
)
def test_what_cannot_be_known_stops_nothing(begin, usage):
    with PretendServer(Account(usage)) as server:
        assert len(read(begin(server))) == 1


def test_a_refused_token_is_told_at_once(begin):
    with (
        PretendServer(Account(Reply(401))) as server,
        pytest.raises(CrmRejectedCredentials, match="refused the token"),
    ):
        read(begin(server))


def test_a_path_that_is_none_is_told_by_the_check(server, mapping):
    wrong = mapping.model_copy(update={"api_usage": "/account-info/2026-09/usage"})
    crm = HubSpot(server.url, server.token, wrong, LIMITS)
    crm.setup()
    with pytest.raises(CrmUnavailable, match="GET /account-info/2026-09/usage"):
        crm.check()
