"""What automations may do in a CRM: every connector keeps the same promises, HubSpot's over a real socket."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from rescore.connectors.actions import Actions, NewTask
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.connectors.memory import MemoryCrm
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRateLimited,
    CrmUnavailable,
    RecordGone,
    RecordRefused,
    SettingsIncomplete,
)
from sandbox_crm.testing import SandboxServer

DUE = datetime(2026, 11, 23, 9, tzinfo=UTC)
MARK = "5d0f4c70-0000-5000-8000-000000000001"
FAST = Limits(calls=10**6, searches=10**6)
NOBODY = "424242"
TASKS = "/crm/objects/2026-09/tasks"


class Rig:
    """A CRM of either kind with one lead who has an owner and no task, and a way to look into it."""

    def __init__(self, crm: Actions, lead: str, owner: str) -> None:
        self.crm, self.lead, self.owner = crm, lead, owner

    def task(self, mark: str = MARK, lead: str | None = None, owner: str | None = None) -> NewTask:
        return NewTask(lead or self.lead, "Call them", DUE, owner or self.owner, mark, "b2b.mql")


@pytest.fixture
def memory() -> Rig:
    crm = MemoryCrm("crm")
    crm.put_lead("1", {})
    crm.shown["1"] = {"owner": "7001", "stage": "lead"}
    return Rig(crm, "1", "7001")


@pytest.fixture
def hubspot(server: SandboxServer, mapping) -> Rig:
    connector = HubSpot(server.url, server.token, mapping, FAST)
    connector.setup()
    row = server.sandbox.store.rows(
        "SELECT id, properties FROM objects o WHERE type = 'contacts' AND visible"
        " AND NOT EXISTS (SELECT 1 FROM associations WHERE contact_id = o.id) ORDER BY id LIMIT 1"
    )
    if not row:
        row = server.sandbox.store.rows("SELECT * FROM objects WHERE type = 'contacts' AND visible LIMIT 1")
    return Rig(connector, str(row[0]["id"]), json.loads(row[0]["properties"])["hubspot_owner_id"])


@pytest.fixture(params=["memory", "hubspot"])
def rig(request) -> Iterator[Rig]:
    return request.getfixturevalue(request.param)


def ours(rig: Rig) -> list[tuple[str, str, bool]]:
    return [(t.task_id, t.delivery, t.open) for t in rig.crm.tasks.of_lead(rig.lead) if t.delivery]


def test_a_task_made_a_moment_ago_is_found_under_the_id_of_its_delivery(rig):
    task_id = rig.crm.tasks.create(rig.task())
    assert ours(rig) == [(task_id, MARK, True)]
    assert [t.automation for t in rig.crm.tasks.of_lead(rig.lead) if t.delivery] == ["b2b.mql"]


def test_nothing_but_the_caller_keeps_a_second_task_from_being_made(rig):
    assert len({rig.crm.tasks.create(rig.task()) for _ in "12"}) == len(ours(rig)) == 2


def test_the_owner_of_a_lead(rig):
    assert rig.crm.tasks.owner_of(rig.lead) == rig.owner


def test_a_lead_that_is_gone(rig):
    with pytest.raises(RecordGone):
        rig.crm.tasks.owner_of(NOBODY)
    with pytest.raises(RecordGone):
        rig.crm.tasks.create(rig.task(lead=NOBODY))
    with pytest.raises(RecordGone):
        rig.crm.fields.read(NOBODY, ["lifecyclestage"])
    assert rig.crm.fields.write(NOBODY, {"lifecyclestage": "lead"}).kind == "gone"


def test_a_field_is_read_as_it_was_written_and_an_empty_one_as_none(rig):
    assert rig.crm.fields.write(rig.lead, {"lifecyclestage": "salesqualifiedlead"}).kind == "ok"
    assert rig.crm.fields.read(rig.lead, ["lifecyclestage", "hs_buying_role_2"]) == {
        "lifecyclestage": "salesqualifiedlead",
        "hs_buying_role_2": None,
    }


# ── HubSpot alone ────────────────────────────────────────────────────────────────────────────────────


def fault(server: SandboxServer, **fault: object) -> None:
    faults = {"faults": [{"path": TASKS, "method": "POST", **fault}]}
    requests.post(f"{server.url}/sandbox/faults", json=faults, timeout=30).raise_for_status()


def test_a_task_shows_title_due_date_and_owner_and_is_open(hubspot, server):
    task_id = hubspot.crm.tasks.create(hubspot.task(owner="7009"))
    row = server.sandbox.store.objects("tasks", [int(task_id)])[int(task_id)]
    assert json.loads(row["properties"]) == {
        "hs_task_subject": "Call them",
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": "TODO",
        "hs_timestamp": "2026-11-23T09:00:00.000Z",
        "hubspot_owner_id": "7009",
        "rescore_delivery": MARK,
        "rescore_automation": "b2b.mql",
    }


def test_looking_for_tasks_never_searches(hubspot, server):
    server.sandbox.search_lag = 3600.0
    task_id = hubspot.crm.tasks.create(hubspot.task())
    assert ours(hubspot) == [(task_id, MARK, True)]
    assert not [path for path in server.sandbox.calls if path.endswith("/search")]


@pytest.mark.parametrize("status", ["COMPLETED", "DEFERRED"])
def test_a_task_that_is_done_or_put_off_is_not_open(hubspot, server, status):
    task_id = hubspot.crm.tasks.create(hubspot.task())
    server.sandbox.store.write(int(task_id), {"hs_task_status": status}, server.sandbox.now())
    assert ours(hubspot) == [(task_id, MARK, False)]


def test_tasks_beyond_one_page_and_one_batch_are_found(hubspot, server):
    now = server.sandbox.now()
    for _ in range(501):
        server.sandbox.store.make("tasks", int(hubspot.lead), {"hs_task_status": "COMPLETED"}, now)
    task_id = hubspot.crm.tasks.create(hubspot.task())
    assert ours(hubspot) == [(task_id, MARK, True)]


def test_a_connection_cut_after_the_effect_may_have_made_the_task(hubspot, server):
    fault(server, cut="after")
    with pytest.raises(CrmUnavailable) as caught:
        hubspot.crm.tasks.create(hubspot.task())
    assert caught.value.sent
    assert len(ours(hubspot)) == 1


def test_without_the_two_properties_the_way_out_is_setup(server, mapping):
    bare = Rig(HubSpot(server.url, server.token, mapping, FAST), "100001", "7001")
    with pytest.raises(CrmFieldMissing, match=r"no task property.*run `rescore setup hubspot`"):
        bare.crm.tasks.create(bare.task())
    assert server.sandbox.tasks_made == 0


def test_a_mapping_without_tasks_says_so(server, mapping):
    without = HubSpot(server.url, server.token, mapping.model_copy(update={"tasks": None}), FAST)
    with pytest.raises(SettingsIncomplete, match=r"the mapping hubspot\.yaml has no `tasks`"):
        _ = without.tasks


@pytest.mark.parametrize(
    ("answer", "error", "sent"),
    [
        pytest.param({"status": 403, "body": {}}, CrmLacksScope, None, id="no scope"),
        pytest.param(
            {"status": 400, "body": {"category": "VALIDATION_ERROR"}}, RecordRefused, None, id="400"
        ),
        pytest.param({"status": 404, "body": {}}, CrmUnavailable, False, id="a wrong path"),
        pytest.param({"status": 503}, CrmUnavailable, True, id="5xx"),
        pytest.param({"status": 200, "body": {}}, CrmUnavailable, True, id="no id"),
        pytest.param({"status": 200, "body": "<html>"}, CrmUnavailable, True, id="HTML"),
        pytest.param(
            {"status": 429, "headers": {"Retry-After": "3600"}, "body": {}}, CrmRateLimited, None, id="429"
        ),
    ],
)
def test_what_an_answer_to_a_new_task_means(hubspot, server, answer, error, sent):
    fault(server, **answer)
    with pytest.raises(error) as caught:
        hubspot.crm.tasks.create(hubspot.task())
    assert getattr(caught.value, "sent", None) == sent


def test_a_property_that_nobody_made_is_named_with_the_way_out(hubspot):
    with pytest.raises(CrmFieldMissing, match=r"lacks a contact property among `mql_date`; create it"):
        hubspot.crm.fields.write(hubspot.lead, {"mql_date": "2026-11-21"})


def test_a_value_that_hubspot_refuses_is_this_records_and_is_not_quoted(hubspot):
    outcome = hubspot.crm.fields.write(hubspot.lead, {"numemployees": "very many"})
    assert outcome.kind == "record"
    assert "INVALID_INTEGER (numemployees)" in outcome.reason
    assert "very many" not in outcome.reason
