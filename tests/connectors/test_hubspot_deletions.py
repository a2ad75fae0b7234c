"""Contacts that go, and what HubSpot says of them: deleted, restored, merged, forgotten, objecting."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.withheld import OBJECTS
from tests.connectors.conftest import NOW

FAST = Limits(calls=10**6, searches=10**6, batch=2, overlap=60)
CONTACTS = "/crm/objects/2026-09/contacts"


@pytest.fixture
def call(server):
    def call(method, path, **body):
        headers = {"Authorization": f"Bearer {server.token}"}
        answer = requests.request(method, server.url + path, json=body or None, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer

    return call


@pytest.fixture
def ids(server):
    rows = server.sandbox.store.rows(
        "SELECT id FROM objects WHERE type = 'contacts' AND visible ORDER BY id LIMIT 6"
    )
    return [str(row["id"]) for row in rows]


@pytest.fixture
def hubspot(server, mapping):
    leads = mapping.leads.model_copy(update={"deleted": CONTACTS, "objection": "hs_email_optout"})
    return HubSpot(server.url, server.token, mapping.model_copy(update={"leads": leads}), FAST)


def read(hubspot, stream, cursor=None, *, later=timedelta(0)):
    pages = list(hubspot.pages(stream, cursor, until=NOW + later))
    return [lead for page in pages for lead in page.leads], [page.cursor for page in pages]


def deleted(hubspot, cursor=None, **when):
    leads, _ = read(hubspot, "deleted contacts", cursor, **when)
    assert all(lead.deleted for lead in leads)
    return [lead.lead_id for lead in leads]


def test_all_deleted_contacts_are_listed_page_by_page_from_any_cursor(hubspot, call, ids):
    for contact in ids[:5]:
        call("DELETE", f"{CONTACTS}/{contact}")
    assert deleted(hubspot) == ids[:5]
    _, cursors = read(hubspot, "deleted contacts")
    assert deleted(hubspot, cursors[0]) == ids[2:5]


def test_the_list_is_read_once_an_hour(hubspot, call, ids):
    _, [cursor] = read(hubspot, "deleted contacts")
    call("DELETE", f"{CONTACTS}/{ids[0]}")
    calls = len(read(hubspot, "deleted contacts", cursor)[1])
    assert calls == 0
    assert deleted(hubspot, cursor, later=timedelta(minutes=61)) == [ids[0]]


def test_a_restored_contact_leaves_the_list_and_comes_as_changed(hubspot, call, ids):
    call("DELETE", f"{CONTACTS}/{ids[0]}")
    leads, cursors = read(hubspot, "contacts")
    assert ids[0] not in {lead.lead_id for lead in leads}
    call("POST", f"/sandbox/restore/{ids[0]}")
    assert deleted(hubspot) == []
    back, _ = read(hubspot, "contacts", cursors[-1])
    assert [lead.deleted for lead in back if lead.lead_id == ids[0]] == [False]


def test_a_contact_deleted_for_privacy_is_in_no_list(hubspot, call, ids):
    call("DELETE", f"{CONTACTS}/{ids[0]}")
    call("POST", f"{CONTACTS}/gdpr-delete", objectId=ids[0])
    assert deleted(hubspot) == []


@pytest.mark.parametrize("anew", [True, False], ids=["a third is made", "the first one stays"])
def test_a_merge_names_the_lost_contacts(hubspot, server, call, ids, anew):
    server.sandbox.merges_make_new = anew
    merge = {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}
    left = call("POST", f"{CONTACTS}/merge", **merge).json()["id"]
    leads = {lead.lead_id: lead for lead in read(hubspot, "contacts")[0]}
    assert leads[left].merged == ((ids[0], ids[1]) if anew else (ids[1],))
    assert leads.keys() & set(ids[:2]) == {left} & set(ids[:2])


@pytest.mark.parametrize(
    ("value", "objects"),
    [("true", True), ("yes", True), ("please stop", True), ("false", False), ("No", False), ("", False)],
)
def test_whatever_is_not_a_clear_no_is_an_objection(hubspot, server, ids, value, objects):
    server.sandbox.store.write(int(ids[0]), {"hs_email_optout": value or None}, server.sandbox.now())
    leads = {lead.lead_id: lead for lead in read(hubspot, "contacts")[0]}
    assert leads[ids[0]].attributes[OBJECTS] is objects
