"""Our own writes move a contact's modified date: they come back once, change nothing, and come no more."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.hubspot import HubSpot, Limits
from tests.connectors.conftest import NOW

SEARCH = "POST /crm/objects/2026-09/contacts/search"
LIMITS = Limits(calls=10**6, searches=10**6, search_page=50)
A_RUN = timedelta(minutes=15)


@pytest.fixture
def hubspot(server, mapping):
    crm = HubSpot(server.url, server.token, mapping, LIMITS)
    crm.setup()
    return crm


def read(hubspot, server, cursor, *, runs):
    """Leads by id, the cursor behind them, and how many searches they took."""
    before = server.sandbox.calls[SEARCH]
    pages = list(hubspot.pages("contacts", cursor, until=NOW + runs * A_RUN))
    leads = {lead.lead_id: lead for page in pages for lead in page.leads}
    return leads, pages[-1].cursor, server.sandbox.calls[SEARCH] - before


def test_a_rescore_of_everybody_is_read_once_and_the_runs_after_it_are_quiet(hubspot, server):
    everybody, cursor, _ = read(hubspot, server, None, runs=0)
    ticks = count()
    server.sandbox.clock = lambda: NOW + timedelta(minutes=1, milliseconds=next(ticks))
    hubspot.write([ScoreUpdate(lead, {"rescore_score": 40}) for lead in everybody])
    echo, cursor, searches = read(hubspot, server, cursor, runs=1)
    assert echo == everybody
    assert searches == 7  # pages of 50 that share a row with the one before
    for runs in (2, 3):
        again, cursor, searches = read(hubspot, server, cursor, runs=runs)
        assert len(again) == 1
        assert searches == 1


def test_what_a_person_changes_between_our_write_and_the_next_run_is_read(hubspot, server):
    everybody, cursor, _ = read(hubspot, server, None, runs=0)
    one = min(everybody)
    server.sandbox.clock = lambda: NOW + timedelta(minutes=1)
    server.sandbox.store.write(int(one), {"jobtitle": "Pilot"}, server.sandbox.now())
    server.sandbox.clock = lambda: NOW + timedelta(minutes=2)
    hubspot.write([ScoreUpdate(lead, {"rescore_score": 40}) for lead in everybody])
    leads, _, _ = read(hubspot, server, cursor, runs=1)
    assert leads[one].attributes["job_title"] == "Pilot"
