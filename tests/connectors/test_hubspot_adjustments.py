"""Points that people give by hand: one dated activity a change, however often the contact is read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from rescore.connectors.catalog import load_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import MappingInvalid
from rescore.mapping import Mapping
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.connectors.conftest import HUBSPOT_YAML

FAST = Limits(calls=10**6, searches=10**6, search_page=40, overlap=0)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROPERTIES = "/crm/properties/2026-09/contacts"


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    body = HUBSPOT_YAML.read_bytes()
    given = b"leads:\n  adjustments: {points: given_points, reason: given_because}\n"
    return load_mapping(body.replace(b"leads:\n", given, 1), "hubspot.yaml")


@pytest.fixture(scope="module")
def population():
    return build_world(ends_at=NOW - timedelta(hours=1), leads=60)


class Crm:
    def __init__(self, server: SandboxServer, mapping: Mapping) -> None:
        self.now = NOW
        server.sandbox.clock = lambda: self.now
        self._server = server
        self.hubspot = HubSpot(server.url, server.token, mapping, FAST)
        self.hubspot.setup()
        for name in ("given_points", "given_because"):
            body = {
                "name": name,
                "label": name,
                "type": "string",
                "fieldType": "text",
                "groupName": "rescore",
            }
            headers = {"Authorization": f"Bearer {server.token}"}
            requests.post(server.url + PROPERTIES, json=body, headers=headers, timeout=10).raise_for_status()

    def give(self, points: str, reason: str = "") -> None:
        """The first contact gets points, a minute later than the last."""
        self.now += timedelta(minutes=2)
        body = {"id": 100001, "properties": {"given_points": points, "given_because": reason}}
        requests.post(f"{self._server.url}/sandbox/edit", json=body, timeout=10).raise_for_status()

    def read(self):
        return list(self.hubspot.pages("contacts", None, until=self.now))

    def adjustments(self):
        return [activity for page in self.read() for activity in page.activities]


@pytest.fixture
def crm(population, mapping) -> Iterator[Crm]:
    with SandboxServer(population) as server:
        yield Crm(server, mapping)


def test_nobody_who_was_given_nothing_has_one(crm):
    assert crm.adjustments() == []


def test_each_change_is_one_activity_at_its_own_time_with_its_own_reason(crm):
    crm.give("20", "met at the fair")
    first = crm.now
    crm.give("-5.5", "wrong person")
    crm.give("")
    found = sorted(crm.adjustments(), key=lambda one: one.occurred_at)
    assert [(one.type, one.value, one.asset) for one in found] == [
        ("adjustment", 20.0, "met at the fair"),
        ("adjustment", -5.5, "wrong person"),
        ("adjustment", 0.0, None),
    ]
    assert found[0].occurred_at == first
    assert found[0].fields == {"by": "HubSpot user 7001"}


def test_reading_again_brings_the_same_activities_and_going_back_to_a_value_is_a_new_one(crm):
    crm.give("20")
    crm.give("30")
    crm.give("20")
    once, again = crm.adjustments(), crm.adjustments()
    assert once == again
    assert len({one.activity_id for one in once}) == 3


def test_points_that_are_no_number_are_set_aside_and_the_contact_is_read(crm):
    crm.give("a lot")
    (aside,) = [one for page in crm.read() for one in page.set_aside]
    assert (aside.kind, aside.reason) == ("activity", "points_unreadable")
    assert any(lead.lead_id == "100001" for page in crm.read() for lead in page.leads)


def test_a_property_that_shows_a_score_gives_no_points():
    body = HUBSPOT_YAML.read_bytes().replace(
        b"leads:\n", b"leads:\n  adjustments: {points: rescore_score}\n", 1
    )
    with pytest.raises(MappingInvalid, match="`rescore_score` is read too"):
        load_mapping(body, "hubspot.yaml")
