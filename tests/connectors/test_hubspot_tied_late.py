"""What is tied to a contact after its last change reaches the lead, though no modified date tells of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from rescore.connectors.hubspot import HubSpot, Limits
from tests.connectors.conftest import NOW
from tests.connectors.pretend_server import PretendServer, Reply

LIMITS = Limits(calls=10**6, searches=10**6, batch=40, associations=100, sweep=3)
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
ASSOCIATIONS = "POST /crm/associations/2026-09/notes/contacts/batch/read"
LISTING = "GET /crm/objects/2026-09/notes"


@pytest.fixture
def hubspot(server, mapping):
    return HubSpot(server.url, server.token, mapping, LIMITS)


@pytest.fixture
def associate(server):
    def associate(kind, number, contact, *, tied=True):
        body = {"kind": kind, "id": number, "contact": contact, "tied": tied}
        requests.post(f"{server.url}/sandbox/associate", json=body, timeout=30).raise_for_status()

    return associate


@pytest.fixture
def lonely(server):
    """A note that somebody wrote an hour ago about nobody."""
    rows = server.sandbox.store.rows("SELECT max(id) AS id FROM objects WHERE type = 'notes' AND visible")
    number = rows[0]["id"]
    server.sandbox.store.db.execute("DELETE FROM associations WHERE from_id = ?", [number])
    server.sandbox.store.write(number, {}, server.sandbox.now() - 3_600_000)
    return number


def read(hubspot, stream, cursor=None, *, after=timedelta(0)):
    pages = list(hubspot.pages(stream, cursor, until=NOW + after))
    found = {one.activity_id for page in pages for one in page.activities}
    return found, [one.reason for page in pages for one in page.set_aside], pages[-1].cursor


def test_a_note_about_nobody_is_set_aside_and_found_in_the_next_run_when_it_is_tied(
    hubspot, associate, lonely
):
    found, aside, cursor = read(hubspot, "notes")
    assert "no_contact" in aside
    assert str(lonely) in cursor["untied"]
    associate("notes", lonely, 100001)
    found, aside, cursor = read(hubspot, "notes", cursor, after=AN_HOUR)
    assert f"notes:{lonely}:100001" in found
    assert aside == []
    assert str(lonely) not in cursor.get("untied", {})


def test_what_stays_about_nobody_costs_one_call_a_run_and_is_let_go_after_three_days(hubspot, server, lonely):
    _, _, cursor = read(hubspot, "notes")
    server.sandbox.calls.clear()
    _, _, cursor = read(hubspot, "notes", cursor, after=AN_HOUR)
    assert server.sandbox.calls[ASSOCIATIONS] <= 2  # one of them for what is always read again
    _, _, cursor = read(hubspot, "notes", cursor, after=3 * A_DAY)
    assert str(lonely) not in cursor.get("untied", {})


def test_a_second_contact_of_an_old_note_is_found_when_its_turn_comes_within_days(hubspot, server, associate):
    rows = server.sandbox.store.rows("SELECT min(id) AS id FROM objects WHERE type = 'notes' AND visible")
    oldest = rows[0]["id"]
    everything, _, cursor = read(hubspot, "notes")
    associate("notes", oldest, 100299)
    found, _, cursor = read(hubspot, "notes", cursor, after=AN_HOUR)
    assert f"notes:{oldest}:100299" not in found
    found, aside, cursor = read(hubspot, "notes", cursor, after=A_DAY)
    assert f"notes:{oldest}:100299" in found
    assert aside == []
    seen, runs = set(found), 1
    while "after" in cursor["sweep"]:
        runs += 1
        found, _, cursor = read(hubspot, "notes", cursor, after=A_DAY + runs * AN_HOUR)
        seen |= found
    assert seen >= everything
    assert runs == -(-server.sandbox.store.counts()["notes"]["visible"] // (3 * 40))


def test_what_comes_in_turn_is_no_news_to_whoever_measures_what_a_source_brings(hubspot):
    *_, last = hubspot.pages("notes", None, until=NOW)
    assert last.again == 0
    *_, swept = hubspot.pages("notes", last.cursor, until=NOW + A_DAY)
    assert swept.again == swept.rows > 0


def test_a_sweep_is_done_once_a_day_and_costs_nothing_between(hubspot, server):
    _, _, cursor = read(hubspot, "notes")
    for hour in range(24, 34):
        _, _, cursor = read(hubspot, "notes", cursor, after=hour * AN_HOUR)
    server.sandbox.calls.clear()
    read(hubspot, "notes", cursor, after=47 * AN_HOUR)
    assert server.sandbox.calls[LISTING] == 0
    read(hubspot, "notes", cursor, after=48 * AN_HOUR)
    assert server.sandbox.calls[LISTING] == 3


def test_a_company_that_is_put_at_a_contact_without_a_trace_is_found_in_turn(hubspot, server):
    pages = list(hubspot.pages("contacts", None, until=NOW))
    server.sandbox.store.db.execute(
        "UPDATE objects SET properties = json_set(properties, '$.associatedcompanyid', '900001')"
        " WHERE id = 100001"
    )
    cursor, accounts = pages[-1].cursor, {}
    for hour in range(24, 30):
        pages = list(hubspot.pages("contacts", cursor, until=NOW + hour * AN_HOUR))
        accounts |= {lead.lead_id: lead.attributes["account"] for page in pages for lead in page.leads}
        cursor = pages[-1].cursor
    assert accounts["100001"] == "900001"
    assert len(accounts) == 297


def test_a_deal_that_somebody_ties_later_is_found(hubspot, server, associate):
    rows = server.sandbox.store.rows("SELECT max(id) AS id FROM objects WHERE type = 'deals' AND visible")
    newest = rows[0]["id"]
    server.sandbox.store.db.execute("DELETE FROM associations WHERE from_id = ?", [newest])
    server.sandbox.store.write(newest, {}, server.sandbox.now() - 3_600_000)
    _, _, cursor = read(hubspot, "deals")
    associate("deals", newest, 100001)
    found, _, _ = read(hubspot, "deals", cursor, after=AN_HOUR)
    assert {f"deals:{newest}:created:100001", f"deals:{newest}:standing:100001"} <= found


def test_an_object_about_more_contacts_than_a_page_holds_is_about_all_of_them(mapping):
    at = "2026-11-20T10:00:00.000Z"
    note = {"id": "5", "properties": {"hs_timestamp": at, "hs_lastmodifieddate": at}}

    def answer(asked):
        if asked.path.endswith("/search"):
            return Reply(body={"results": [note]})
        [wanted] = asked.json["inputs"]
        first = {"to": [{"toObjectId": 7}], "paging": {"next": {"after": "7"}}}
        rest = {"to": [{"toObjectId": 8}]}
        return Reply(body={"results": [{"from": {"id": "5"}} | (rest if "after" in wanted else first)]})

    with PretendServer(answer) as server:
        found, _, _ = read(HubSpot(server.url, "t", mapping, LIMITS), "notes")
    assert found == {"notes:5:7", "notes:5:8"}
