"""The sandbox remembers who gave a property which value, as the vendor does."""

from tests.sandbox_crm.client import OBJECTS, Crm


def history(crm: Crm, contact: str, name: str) -> list[dict[str, object]]:
    body = {"inputs": [{"id": contact}], "propertiesWithHistory": [name]}
    return crm.post(f"{OBJECTS}/contacts/batch/read", body).json()["results"][0]["propertiesWithHistory"][
        name
    ]


def test_values_come_newest_first_with_who_gave_them(crm: Crm):
    contact = crm.search("contacts", limit=1).json()["results"][0]["id"]
    assert [entry["sourceType"] for entry in history(crm, contact, "jobtitle")] == ["IMPORT"]
    crm.update({"id": contact, "properties": {"jobtitle": "Captain"}})
    crm.post("/sandbox/edit", {"id": int(contact), "properties": {"jobtitle": ""}, "user": 12})
    found = [
        (entry["value"], entry["sourceType"], entry.get("updatedByUserId"))
        for entry in history(crm, contact, "jobtitle")
    ]
    assert found == [("", "CRM_UI", 12), ("Captain", "INTEGRATION", None)]


def test_a_batch_with_history_takes_fifty_records(crm: Crm):
    ids = [record["id"] for record in crm.search("contacts", limit=51).json()["results"]]
    for count, status in ((50, 200), (51, 400)):
        body = {"inputs": [{"id": i} for i in ids[:count]], "propertiesWithHistory": ["jobtitle"]}
        assert crm.post(f"{OBJECTS}/contacts/batch/read", body).status_code == status


def test_a_person_cannot_edit_a_contact_that_is_not_there(crm: Crm):
    assert crm.post("/sandbox/edit", {"id": 424242, "properties": {"jobtitle": "x"}}).status_code == 404
