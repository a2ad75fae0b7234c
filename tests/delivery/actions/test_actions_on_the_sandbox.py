"""The network fails around a task or a field: in the end there is one task, and the field is right."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.delivery.actions.crm_fields import CrmFieldsSender
from rescore.delivery.actions.crm_task import CrmTaskSender
from rescore.mapping import Mapping
from rescore.outcome import Outcome
from rescore.rules.actions import CrmFields, CrmTask, SetField
from sandbox_crm.faults import Fault
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.delivery.actions.claims import NOW, a_claim

FAST = Limits(calls=10**6, searches=10**6, waits=0, seconds=5)
HUBSPOT_YAML = Path(__file__).parents[3] / "include" / "mappings" / "hubspot.yaml"
TASKS = "/crm/objects/2026-09/tasks"
CONTACTS = "/crm/objects/2026-09/contacts"
CALL = CrmTask("hubspot", "Call", due=1)
TO_MQL = SetField("lifecyclestage", "marketingqualifiedlead", only_from=("lead", "subscriber"))


@pytest.fixture(scope="module")
def population():
    return build_world(ends_at=datetime(2026, 11, 1, tzinfo=UTC), leads=60)


@pytest.fixture
def server(population) -> Iterator[SandboxServer]:
    with SandboxServer(population) as server:
        server.sandbox.search_lag = 3600.0  # a look-up through a search would find nothing
        yield server


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return read_mapping(HUBSPOT_YAML)


@pytest.fixture
def hubspot(server, mapping) -> HubSpot:
    hubspot = HubSpot(server.url, server.token, mapping, FAST)
    hubspot.setup()
    return hubspot


@pytest.fixture
def lead(server) -> str:
    """A contact at the stage `lead`."""
    [row] = server.sandbox.store.rows("SELECT id FROM objects WHERE type = 'contacts' AND visible LIMIT 1")
    server.sandbox.store.write(row["id"], {"lifecyclestage": "lead"}, server.sandbox.now())
    return f"hubspot:{row['id']}"


def stage(server, lead: str) -> str:
    row = server.sandbox.store.objects("contacts", [int(lead.partition(":")[2])]).popitem()[1]
    return json.loads(row["properties"])["lifecyclestage"]


def script(server, **fault) -> None:
    server.app.state.faults.waiting = [Fault(**fault)]


def make_task(hubspot, lead, **claim) -> Outcome:
    return CrmTaskSender(lambda name: hubspot, lambda name: hubspot.mapping).send(
        a_claim(CALL, lead=lead, **claim), now=NOW
    )


def set_stage(hubspot, mapping, lead) -> Outcome:
    sender = CrmFieldsSender(lambda name: hubspot, lambda name: mapping)
    return sender.send(a_claim(CrmFields("hubspot", (TO_MQL,)), lead=lead), now=NOW)


FAULTS = [
    pytest.param({"cut": "before"}, id="cut before the effect"),
    pytest.param({"cut": "after"}, id="cut after the effect"),
    pytest.param({"status": 500, "body": {}}, id="500"),
    pytest.param({"status": 200, "body": "<html>"}, id="HTML"),
    pytest.param({"status": 429, "headers": {"Retry-After": "60"}, "body": {}}, id="429"),
    pytest.param({"status": 401, "body": {}}, id="401"),
]
TASK_CALLS = [
    pytest.param("/crm/associations/2026-09/contacts/tasks/batch/read", id="listing"),
    pytest.param(f"{CONTACTS}/batch/read", id="reading the owner"),
    pytest.param(TASKS, id="making"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", TASK_CALLS)
def test_after_one_fault_there_is_one_task(server, hubspot, lead, path, fault):
    script(server, path=path, method="POST", **fault)
    first = make_task(hubspot, lead)
    assert first.kind in ("unknown", "transient", "quota", "auth")
    assert (first.kind == "unknown") == (path == TASKS and fault.get("status") not in (429, 401))
    second = make_task(hubspot, lead, uncertain=first.kind == "unknown")
    assert second.kind == "ok"
    assert server.sandbox.tasks_made == 1
    assert second.remote_id
    assert make_task(hubspot, lead).remote_id == second.remote_id
    assert server.sandbox.tasks_made == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", [f"{CONTACTS}/batch/read", f"{CONTACTS}/batch/update"])
def test_after_one_fault_a_field_is_as_it_should_be(server, hubspot, mapping, lead, path, fault):
    script(server, path=path, method="POST", **fault)
    assert set_stage(hubspot, mapping, lead).kind in ("unknown", "transient", "quota", "auth")
    assert set_stage(hubspot, mapping, lead).kind == "ok"
    assert stage(server, lead) == "marketingqualifiedlead"


def test_a_stage_that_a_person_moved_on_meanwhile_stays(server, hubspot, mapping, lead):
    script(server, path=f"{CONTACTS}/batch/update", method="POST", cut="before")
    assert set_stage(hubspot, mapping, lead).kind == "unknown"
    number = int(lead.partition(":")[2])
    server.sandbox.store.write(number, {"lifecyclestage": "customer"}, server.sandbox.now())
    outcome = set_stage(hubspot, mapping, lead)
    assert (outcome.kind, stage(server, lead)) == ("ok", "customer")
    assert "further already" in outcome.reason


def test_a_task_costs_at_most_four_calls(server, hubspot, lead):
    before = server.sandbox.calls.total()
    make_task(hubspot, lead)
    assert server.sandbox.calls.total() - before <= 4


def test_tasks_that_automations_made_are_no_activity_of_the_lead(server, hubspot, lead):
    made = make_task(hubspot, lead).remote_id
    server.sandbox.search_lag = 0.0
    pages = list(hubspot.pages("tasks", None, until=server.sandbox.clock()))
    assert [one.reason for page in pages for one in page.set_aside if one.record_id == f"tasks:{made}"] == [
        "made_by_rescore"
    ]
    assert not [a for page in pages for a in page.activities if a.activity_id.startswith(f"tasks:{made}")]
