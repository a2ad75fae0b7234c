"""Deals: each is two activities of its contacts, one that it was made and one of how it stands."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import requests

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import CrmFieldMissing
from tests.connectors.conftest import NOW

FAST = Limits(calls=10**6, searches=10**6, search_page=50, overlap=60)


@pytest.fixture
def hubspot(server, mapping):
    return HubSpot(server.url, server.token, mapping, FAST)


@pytest.fixture
def screen(server):
    """A person at the vendor's pages, a minute later each time."""

    def screen(action, **body):
        now = server.sandbox.clock() + timedelta(minutes=1)
        server.sandbox.clock = lambda: now
        requests.post(f"{server.url}/sandbox/{action}", json=body, timeout=30).raise_for_status()

    return screen


def read(hubspot, cursor=None, *, later=timedelta(hours=1)):
    pages = list(hubspot.pages("deals", cursor, until=NOW + later))
    assert not [one for page in pages for one in page.set_aside]
    return {one.activity_id: one for page in pages for one in page.activities}, pages[-1].cursor


def deal(server, stage):
    rows = server.sandbox.store.rows(
        "SELECT o.id, contact_id, properties ->> '$.amount' AS amount, created FROM objects o"
        " JOIN associations ON from_id = o.id WHERE type = 'deals' AND properties ->> '$.dealstage' = ?",
        [stage],
    )
    return rows[0]


def test_every_deal_was_made_and_stands_somehow(hubspot, server):
    found, _ = read(hubspot)
    stages = Counter(
        row["stage"]
        for row in server.sandbox.store.rows(
            "SELECT properties ->> '$.dealstage' AS stage FROM objects WHERE type = 'deals' AND visible"
        )
    )
    won, lost = stages.pop("closedwon"), stages.pop("closedlost")
    assert min(won, lost, stages.total()) > 0
    assert Counter(one.type for one in found.values()) == {
        "opportunity_created": won + lost + stages.total(),
        "opportunity_open": stages.total(),
        "opportunity_won": won,
        "opportunity_lost": lost,
    }


def test_a_won_deal_carries_its_amount_and_its_stage_by_name_as_of_its_closing(hubspot, server):
    row, (found, _) = deal(server, "closedwon"), read(hubspot)
    made = found[f"deals:{row['id']}:created:{row['contact_id']}"]
    stands = found[f"deals:{row['id']}:standing:{row['contact_id']}"]
    assert stands.type == "opportunity_won"
    assert stands.value == made.value == float(row["amount"])
    assert stands.fields == {"stage": "closed_won", "pipeline": "default"}
    assert stands.occurred_at > made.occurred_at
    assert stands.asset.endswith(": procurement")


def test_a_deal_that_is_closed_and_opened_again_corrects_its_standing(hubspot, server, screen):
    row, (found, cursor) = deal(server, "contractsent"), read(hubspot)
    name = f"deals:{row['id']}:standing:{row['contact_id']}"
    assert found[name].type == "opportunity_open"
    closed = {
        "dealstage": "closedlost",
        "hs_is_closed": "true",
        "closedate": (NOW + timedelta(seconds=30)).isoformat(),
    }
    screen("edit", kind="deals", id=row["id"], properties=closed)
    found, cursor = read(hubspot, cursor, later=timedelta(hours=2))
    assert (found[name].type, found[name].fields["stage"]) == ("opportunity_lost", "closed_lost")
    again = {"dealstage": "contractsent", "hs_is_closed": "false"}
    screen("edit", kind="deals", id=row["id"], properties=again)
    found, _ = read(hubspot, cursor, later=timedelta(hours=3))
    assert found[name].type == "opportunity_open"


def test_a_deal_that_closes_on_a_day_to_come_waits_for_it(hubspot, server, screen):
    row, (_, cursor) = deal(server, "contractsent"), read(hubspot)
    closed = {
        "hs_is_closed": "true",
        "hs_is_closed_won": "true",
        "closedate": (NOW + timedelta(days=2)).isoformat(),
    }
    screen("edit", kind="deals", id=row["id"], properties=closed)
    found, cursor = read(hubspot, cursor, later=timedelta(hours=2))
    assert f"deals:{row['id']}:created:{row['contact_id']}" in found
    name = f"deals:{row['id']}:standing:{row['contact_id']}"
    assert name not in found
    found, cursor = read(hubspot, cursor, later=timedelta(days=3))
    assert found[name].type == "opportunity_won"
    assert "waiting" not in cursor


def test_a_deal_about_two_contacts_is_told_of_both(hubspot, server, screen):
    row = deal(server, "closedwon")
    screen("associate", kind="deals", id=row["id"], contact=100001)
    found, _ = read(hubspot)
    named = {one.lead_id for name, one in found.items() if name.startswith(f"deals:{row['id']}:standing:")}
    assert named == {str(row["contact_id"]), "100001"}


def test_a_deal_property_that_is_not_there_is_named(server, mapping):
    deals = mapping.activities["deals"].model_copy(update={"value": "amount_in_euro"})
    activities = mapping.activities | {"deals": deals}
    crm = HubSpot(server.url, server.token, mapping.model_copy(update={"activities": activities}), FAST)
    crm.setup()
    with pytest.raises(
        CrmFieldMissing, match=r"no deal property `amount_in_euro`; correct the mapping hubspot\.yaml"
    ):
        crm.check()
