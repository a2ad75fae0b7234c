"""The network fails around a write to a CRM: afterwards it is right, and each version was counted once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from rescore.connectors.catalog import load_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.delivery.crm import update_crm
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable
from rescore.ledger import tables
from rescore.mapping import Mapping
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.delivery.conftest import MAPPING
from tests.ledger.world import World

PATHS = {
    b"account_details: /a\n": b"account_details: /account-info/2026-09/details\n",
    b"search: /s": b"search: /crm/objects/2026-09/contacts/search",
    b"read: /r": b"read: /crm/objects/2026-09/contacts/batch/read",
    b"update: /u": b"update: /crm/objects/2026-09/contacts/batch/update",
    b"properties: /p": b"properties: /crm/properties/2026-09/contacts",
    b"groups: /g": b"groups: /crm/properties/2026-09/contacts/groups",
}
FAST = Limits(calls=10**6, searches=10**6, batch=2, waits=1)


@pytest.fixture(scope="module")
def population():
    return build_world(ends_at=datetime(2026, 11, 1, tzinfo=UTC), leads=120)


@pytest.fixture
def server(population) -> Iterator[SandboxServer]:
    with SandboxServer(population) as server:
        yield server


@pytest.fixture
def mapping() -> Mapping:
    body = MAPPING
    for short, path in PATHS.items():
        body = body.replace(short, path)
    return load_mapping(body, "crm.yaml")


@pytest.fixture
def hubspot(server, mapping) -> HubSpot:
    hubspot = HubSpot(server.url, server.token, mapping, FAST)
    hubspot.setup()
    return hubspot


@pytest.fixture
def ids(server) -> list[str]:
    rows = server.sandbox.store.rows("SELECT id FROM objects WHERE type = 'contacts' AND visible LIMIT 5")
    return [str(row["id"]) for row in rows]


@pytest.fixture
def world(ledger, ids) -> World:
    world = World(ledger)
    world.first_load(**{f"crm:{lead}": number for number, lead in enumerate(ids)})
    return world


def deliver(world, hubspot, mapping):
    return dict(update_crm(world.ledger, hubspot, mapping=mapping, now=world.tick(), worker="w"))


def shown(server, ids):
    rows = [server.sandbox.store.objects("contacts", [int(lead)])[int(lead)] for lead in ids]
    return [json.loads(row["properties"]).get("my_score") for row in rows]


def fault(server, **fault):
    body = {"faults": [{"path": "/crm/objects", "method": "POST", **fault}]}
    requests.post(f"{server.url}/sandbox/faults", json=body, timeout=30).raise_for_status()


def test_scores_land_and_a_second_run_makes_no_call(world, hubspot, mapping, server, ids):
    assert deliver(world, hubspot, mapping) == {"acknowledged": 5, "batches": 3}
    assert shown(server, ids) == ["0", "1", "2", "3", "4"]
    calls = server.sandbox.calls.total()
    assert deliver(world, hubspot, mapping) == {}
    assert server.sandbox.calls.total() == calls


FAULTS = {
    "cut before the write": {"cut": "before"},
    "cut after the write": {"cut": "after"},
    "500": {"status": 500, "body": {}},
    "HTML": {"status": 200, "body": "<html>"},
    "no results": {"status": 200, "body": {}},
    "a redirect": {"status": 307, "headers": {"Location": "/elsewhere"}},
}


@pytest.mark.parametrize("skip", [0, 1, 2], ids=["first call", "second call", "last call"])
@pytest.mark.parametrize("what", FAULTS.values(), ids=FAULTS.keys())
def test_after_one_fault_the_crm_is_right_and_each_version_counts_once(
    world, hubspot, mapping, server, ids, what, skip
):
    fault(server, skip=skip, **what)
    heals(world, hubspot, mapping, server, ids)


def test_after_one_answer_that_came_too_late_the_crm_is_right_too(world, hubspot, mapping, server, ids):
    impatient = HubSpot(server.url, server.token, mapping, replace(FAST, seconds=3))
    fault(server, skip=1, delay=3.5, cut="before")
    heals(world, impatient, mapping, server, ids)


def heals(world, hubspot, mapping, server, ids):
    """The first run leaves what the fault hit to the second; the third finds nothing to do."""
    assert deliver(world, hubspot, mapping)["acknowledged"] in (3, 4)
    assert deliver(world, hubspot, mapping)["acknowledged"] in (1, 2)
    assert shown(server, ids) == ["0", "1", "2", "3", "4"]
    assert world.rows(tables.sync, "state", "want_ver", "acked_ver") == [("settled", 1, 1)] * 5
    assert deliver(world, hubspot, mapping) == {}


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"status": 401, "body": {}}, CrmRejectedCredentials),
        ({"status": 403, "body": {}}, CrmRejectedCredentials),
        ({"status": 429, "headers": {"Retry-After": "300"}, "body": {}}, CrmRateLimited),
        ({"status": 503, "body": {}, "count": 3}, CrmUnavailable),
    ],
    ids=["401", "403", "429", "down"],
)
def test_when_nothing_can_be_done_it_says_so_and_nothing_is_lost(
    world, hubspot, mapping, server, ids, what, error
):
    fault(server, **what)
    with pytest.raises(error):
        deliver(world, hubspot, mapping)
    while {state for (state,) in world.rows(tables.sync, "state")} != {"settled"}:
        world.now += timedelta(minutes=6)
        deliver(world, hubspot, mapping)
    assert shown(server, ids) == ["0", "1", "2", "3", "4"]


def test_a_contact_that_is_gone_is_left_out_alone_and_nobody_is_created(world, hubspot, mapping, server, ids):
    people = server.sandbox.store.rows("SELECT count(*) FROM objects")[0][0]
    world.score(**{"crm:999999999": 50, "crm:not-an-id": 60})
    assert deliver(world, hubspot, mapping) == {"acknowledged": 5, "deleted": 2, "batches": 4}
    assert server.sandbox.store.rows("SELECT count(*) FROM objects")[0][0] == people
