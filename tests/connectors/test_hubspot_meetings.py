"""Meetings are logged before they happen: each counts when it has, changed or not."""

from datetime import timedelta

import pytest

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.connectors.still_to_come import MOST
from sandbox_crm.store import milliseconds
from tests.connectors.conftest import NOW

FAST = Limits(calls=10**6, searches=10**6)
PLANNED = "meetings:9000001"


@pytest.fixture
def hubspot(server, mapping) -> HubSpot:
    return HubSpot(server.url, server.token, mapping, FAST)


def read(hubspot, cursor, *, days=0):
    pages = list(hubspot.pages("meetings", cursor, until=NOW + timedelta(days=days)))
    found = {a.activity_id.rpartition(":")[0] for page in pages for a in page.activities}
    return found, [one.reason for page in pages for one in page.set_aside], pages[-1].cursor


def test_a_planned_meeting_waits_and_is_read_when_it_has_happened(hubspot):
    found, aside, cursor = read(hubspot, None)
    assert PLANNED not in found
    assert aside == ["not_yet"]
    found, aside, cursor = read(hubspot, cursor, days=1)
    assert PLANNED not in found
    assert list(cursor["waiting"]) == ["9000001"]
    found, aside, cursor = read(hubspot, cursor, days=3)
    assert PLANNED in found
    assert aside == []
    assert "waiting" not in cursor


def test_a_planned_meeting_that_is_brought_forward_is_read_once_and_waits_no_longer(hubspot, server):
    _, _, cursor = read(hubspot, None)
    server.sandbox.store.write(9000001, {"hs_timestamp": "2026-11-21T11:30:00Z"}, cursor["since"] + 1)
    found, aside, cursor = read(hubspot, cursor)
    assert (PLANNED in found, aside) == (True, [])
    assert "waiting" not in cursor


def test_a_planned_meeting_that_is_gone_is_forgotten(hubspot, server):
    _, _, cursor = read(hubspot, None)
    server.sandbox.store.db.execute("UPDATE objects SET visible = 0 WHERE id = 9000001")
    found, aside, cursor = read(hubspot, cursor, days=3)
    assert (PLANNED in found, aside) == (False, [])
    assert "waiting" not in cursor


def test_of_more_planned_meetings_than_are_remembered_none_is_forgotten(hubspot, server):
    store, long_ago = server.sandbox.store, milliseconds(NOW - timedelta(days=3))
    for number in range(MOST + 50):
        start = NOW + timedelta(minutes=10, seconds=30 * number)
        store.make("meetings", 100001, {"hs_timestamp": start.isoformat()}, long_ago)
    before, _, cursor = read(hubspot, None)
    after, _, cursor = read(hubspot, cursor, days=0.5)
    assert len(after - before) == MOST + 50
    assert (list(cursor["waiting"]), "crowded_out" in cursor) == (["9000001"], False)
