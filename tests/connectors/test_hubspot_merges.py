"""A contact that was merged away is no more: HubSpot may not find it, or answer with the one that is left."""

from __future__ import annotations

import pytest
import requests

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import RecordGone

FAST = Limits(calls=10**6, searches=10**6)
MERGE = "/crm/objects/2026-09/contacts/merge"
SCORE = "rescore_score"


@pytest.fixture(params=[False, True], ids=["not found", "answered with what is left"])
def follows(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["the first one stays", "a third is made"])
def hubspot(request, server, mapping, follows):
    server.sandbox.follows_merges, server.sandbox.merges_make_new = follows, request.param
    crm = HubSpot(server.url, server.token, mapping, FAST)
    crm.setup()
    return crm


@pytest.fixture
def merged(hubspot, server):
    """(left, lost): the latter was merged into the former, of which nobody has told us yet."""
    rows = server.sandbox.store.rows(
        "SELECT id FROM objects WHERE type = 'contacts' AND visible ORDER BY id LIMIT 2"
    )
    first, lost = (str(row["id"]) for row in rows)
    answer = requests.post(
        server.url + MERGE,
        json={"primaryObjectId": first, "objectIdToMerge": lost},
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=30,
    )
    left = answer.json()["id"]
    assert (left == first) is not server.sandbox.merges_make_new
    return left, lost


def test_a_write_to_it_is_answered_as_gone(hubspot, merged):
    _, lost = merged
    [result] = hubspot.write([ScoreUpdate(lost, {SCORE: 7})])
    assert (result.lead_id, result.kind) == (lost, "gone")


def test_what_a_write_to_it_did_to_the_one_that_is_left_is_sent_again(hubspot, merged):
    left, lost = merged
    updates = [ScoreUpdate(left, {SCORE: 90}), ScoreUpdate(lost, {SCORE: 7})]
    results = {result.lead_id: result.kind for result in hubspot.write(updates)}
    assert results[lost] == "gone"
    again = [update for update in updates if results[update.lead_id] == "unknown"]
    assert all(result.kind == "ok" for result in hubspot.write(again))
    assert hubspot.read([left], [SCORE]) == {left: {SCORE: "90"}}


def test_reading_it_back_says_that_it_is_gone(hubspot, merged):
    left, lost = merged
    hubspot.write([ScoreUpdate(left, {SCORE: 90})])
    assert hubspot.read([lost], [SCORE]) == {lost: None}
    assert hubspot.read([left, lost], [SCORE]) == {left: {SCORE: "90"}, lost: None}


def test_an_automation_that_would_act_on_it_is_told(hubspot, merged):
    _, lost = merged
    with pytest.raises(RecordGone):
        hubspot.fields.read(lost, ["lifecyclestage"])
