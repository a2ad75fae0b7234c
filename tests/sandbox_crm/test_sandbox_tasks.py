"""Tasks in the sandbox CRM: made with their contact, read at once by id, seen by a search only later."""

import pytest

from tests.sandbox_crm.client import OBJECTS, Crm

TASKS = "/crm/properties/2026-09/tasks"
OF_CONTACTS = "/crm/associations/2026-09/contacts/tasks/batch/read"
SUBJECT = {"propertyName": "hs_task_subject", "operator": "EQ", "value": "Call"}


def contact(crm: Crm) -> str:
    """One without tasks."""
    ids = [record["id"] for record in crm.search("contacts").json()["results"]]
    return next(one for one in ids if not tasks_of(crm, one))


def make(crm: Crm, contact_id: str, type_id: int = 204, **properties: str):
    tie = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    given = {"hs_task_subject": "Call", "hs_timestamp": "2026-11-23T09:00:00Z"} | properties
    body = {"properties": given, "associations": [{"to": {"id": contact_id}, "types": [tie]}]}
    return crm.post(f"{OBJECTS}/tasks", body)


def tasks_of(crm: Crm, contact_id: str) -> list[str]:
    answer = crm.post(OF_CONTACTS, {"inputs": [{"id": contact_id}]}).json()
    return [to["toObjectId"] for row in answer["results"] for to in row["to"]]


def test_a_new_task_is_read_at_once_and_searched_only_after_the_lag(crm: Crm):
    someone, now = contact(crm), crm.server.sandbox.clock()
    crm.server.sandbox.clock, crm.server.sandbox.search_lag = lambda: now, 10.0
    made = make(crm, someone)
    assert made.status_code == 201
    assert tasks_of(crm, someone) == [made.json()["id"]]
    read = crm.post(f"{OBJECTS}/tasks/batch/read", {"inputs": [{"id": made.json()["id"]}]}).json()
    assert [row["id"] for row in read["results"]] == [made.json()["id"]]
    assert crm.search("tasks", SUBJECT).json()["total"] == 0
    crm.server.sandbox.search_lag = 0.0
    assert crm.search("tasks", SUBJECT).json()["total"] == 1


def test_the_same_call_twice_makes_two_tasks(crm: Crm):
    someone = contact(crm)
    make(crm, someone), make(crm, someone)
    assert len(tasks_of(crm, someone)) == crm.status()["tasks_made"] == 2


@pytest.mark.parametrize(
    ("given", "status", "category"),
    [
        pytest.param({"rescore_delivery": "1"}, 400, "VALIDATION_ERROR", id="a property nobody made"),
        pytest.param({"hs_timestamp": "soon"}, 400, "VALIDATION_ERROR", id="no date"),
        pytest.param({"hs_timestamp": ""}, 400, "VALIDATION_ERROR", id="without a due date"),
        pytest.param({"hs_task_status": "OPEN"}, 400, "VALIDATION_ERROR", id="no such status"),
        pytest.param({"type_id": 1}, 400, "VALIDATION_ERROR", id="a tie of another kind"),
        pytest.param({"contact_id": "42"}, 404, "OBJECT_NOT_FOUND", id="nobody"),
    ],
)
def test_what_the_vendor_refuses(crm: Crm, given, status, category):
    answer = make(crm, **({"contact_id": contact(crm)} | given))
    assert (answer.status_code, answer.json()["category"]) == (status, category)
    assert crm.status()["tasks_made"] == 0


def test_task_properties_are_apart_from_those_of_contacts(crm: Crm):
    body = {"name": "rescore_delivery", "label": "D", "type": "string", "fieldType": "text"}
    assert crm.post(TASKS, body | {"groupName": "contactinformation"}).status_code == 201
    assert crm.get(f"{TASKS}/rescore_delivery").status_code == 200
    assert crm.get("/crm/properties/2026-09/contacts/rescore_delivery").status_code == 404
    assert make(crm, contact(crm), rescore_delivery="1").json()["properties"]["rescore_delivery"] == "1"


def test_a_task_can_be_completed(crm: Crm):
    task = make(crm, contact(crm)).json()["id"]
    url = f"{crm.server.url}{OBJECTS}/tasks/{task}"
    done = crm.session.patch(url, json={"properties": {"hs_task_status": "COMPLETED"}}, timeout=10)
    assert done.json()["properties"]["hs_task_status"] == "COMPLETED"
    assert crm.session.patch(url + "0", json={"properties": {}}, timeout=10).status_code == 404


def test_a_contact_with_many_tasks_is_listed_in_pages(crm: Crm):
    someone = contact(crm)
    made = {
        str(crm.server.sandbox.store.make("tasks", int(someone), {}, crm.server.sandbox.now()))
        for _ in range(501)
    }
    first = crm.post(OF_CONTACTS, {"inputs": [{"id": someone}]}).json()["results"][0]
    after = first["paging"]["next"]["after"]
    second = crm.post(OF_CONTACTS, {"inputs": [{"id": someone, "after": after}]}).json()["results"][0]
    assert "paging" not in second
    assert {to["toObjectId"] for page in (first, second) for to in page["to"]} == made
