"""Records: search and its window, batches and their partial failures, associations, properties."""

from datetime import datetime

import pytest

from tests.sandbox_crm.client import MODIFIED, OBJECTS, PROPERTIES, Crm

UNKNOWN = "424242"


def known_ids(crm: Crm, count: int) -> list[str]:
    return [record["id"] for record in crm.search("contacts", limit=count).json()["results"]]


def add_score(crm: Crm) -> None:
    crm.post(f"{PROPERTIES}/groups", {"name": "rescore", "label": "Rescore"})
    body = {
        "name": "rescore_score",
        "label": "Score",
        "type": "number",
        "fieldType": "number",
        "groupName": "rescore",
    }
    assert crm.post(PROPERTIES, body).status_code == 201


@pytest.mark.parametrize("kind", ["contacts", "calls", "emails", "meetings", "notes", "tasks"])
def test_paging_by_modified_date_visits_every_record_once_and_in_order(reading: Crm, kind):
    records = reading.everything(kind)
    assert (
        len(records) == len({record["id"] for record in records}) == reading.status()["rows"][kind]["visible"]
    )
    assert [record["updatedAt"] for record in records] == sorted(record["updatedAt"] for record in records)


@pytest.mark.parametrize("written_as", ["milliseconds", "ISO 8601"])
def test_a_search_from_a_modified_date_finds_that_date_and_what_follows(reading: Crm, written_as):
    records = reading.everything("contacts")
    middle = records[len(records) // 2]["updatedAt"]
    value = (
        middle if written_as == "ISO 8601" else str(round(datetime.fromisoformat(middle).timestamp() * 1000))
    )
    found = reading.search(
        "contacts", {"propertyName": "lastmodifieddate", "operator": "GTE", "value": value}
    ).json()
    assert found["total"] == sum(record["updatedAt"] >= middle for record in records)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({"operator": "EQ", "value": "100005"}, ["100005"], id="EQ"),
        pytest.param({"operator": "GT", "value": "100198"}, ["100199", "100200"], id="GT"),
        pytest.param({"operator": "LTE", "value": "100002"}, ["100001", "100002"], id="LTE"),
        pytest.param(
            {"operator": "BETWEEN", "value": "100003", "highValue": "100004"},
            ["100003", "100004"],
            id="BETWEEN",
        ),
        pytest.param({"operator": "IN", "values": ["100007", "7"]}, ["100007"], id="IN"),
    ],
)
def test_a_filter_on_the_record_id(crm: Crm, wanted, expected):
    crm.post("/sandbox/release")
    by_id = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    found = crm.search("contacts", {"propertyName": "hs_object_id"} | wanted, sorts=by_id).json()
    assert [record["id"] for record in found["results"]] == expected


def test_either_of_two_filter_groups_is_enough(reading: Crm):
    def group(value: str) -> dict:
        return {"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": value}]}

    one, two = known_ids(reading, 2)
    found = reading.post(f"{OBJECTS}/contacts/search", {"filterGroups": [group(one), group(two)]}).json()
    assert found["total"] == 2


def test_a_search_returns_the_properties_asked_for_as_text_and_null_when_there_is_none(reading: Crm):
    found = reading.search("contacts", properties=["numemployees", "no_such_property"], limit=1).json()
    properties = found["results"][0]["properties"]
    assert properties["numemployees"].isdecimal()
    assert properties["no_such_property"] is None
    assert "jobtitle" not in properties


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"limit": 200, "after": "9801"}, id="beyond 10,000 rows"),
        pytest.param({"limit": 201}, id="more than 200 rows a page"),
        pytest.param(
            {"filterGroups": [{"filters": [{"propertyName": "a", "operator": "LIKE"}]}]},
            id="unknown operator",
        ),
        pytest.param(
            {"filterGroups": [{"filters": [{"propertyName": "a", "operator": "EQ"}]}]}, id="no value"
        ),
        pytest.param(
            {
                "filterGroups": [
                    {"filters": [{"propertyName": "createdate", "operator": "GT", "value": "soon"}]}
                ]
            },
            id="not a date",
        ),
        pytest.param("not an object", id="not an object"),
        pytest.param({"sorts": [{"propertyName": 'a"b'}]}, id="not a property name"),
        pytest.param(
            {
                "filterGroups": [
                    {"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": "9" * 40}]}
                ]
            },
            id="a number out of range",
        ),
    ],
)
def test_a_search_the_vendor_would_refuse_is_a_400_in_its_words(reading: Crm, body):
    answer = reading.post(f"{OBJECTS}/contacts/search", body)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


def test_the_last_page_of_the_window_is_still_answered(reading: Crm):
    assert reading.search("contacts", limit=200, after="9800").status_code == 200


def test_a_record_that_does_not_exist_is_404(reading: Crm):
    assert reading.get(f"{OBJECTS}/contacts/{UNKNOWN}").status_code == 404
    assert reading.get(f"{OBJECTS}/contacts/abc").status_code == 404


def test_a_batch_read_answers_207_and_names_the_ids_it_does_not_know(reading: Crm):
    (known,) = known_ids(reading, 1)
    body = {"inputs": [{"id": known}, {"id": UNKNOWN}], "properties": ["jobtitle"]}
    answer = reading.post(f"{OBJECTS}/contacts/batch/read", body)
    assert answer.status_code == 207
    assert [record["id"] for record in answer.json()["results"]] == [known]
    assert answer.json()["errors"][0]["context"]["ids"] == [UNKNOWN]


def test_contacts_can_be_read_by_e_mail_address_in_any_case(reading: Crm):
    record = reading.search("contacts", limit=1).json()["results"][0]
    body = {"idProperty": "email", "inputs": [{"id": record["properties"]["email"].upper()}]}
    found = reading.post(f"{OBJECTS}/contacts/batch/read", body)
    assert found.status_code == 200
    assert found.json()["results"][0]["id"] == record["id"]


def test_an_update_changes_the_record_moves_its_modified_date_and_echoes_the_trace_id(crm: Crm):
    add_score(crm)
    (known,) = known_ids(crm, 1)
    before = crm.get(f"{OBJECTS}/contacts/{known}").json()
    answer = crm.update({"id": known, "properties": {"rescore_score": "87"}, "objectWriteTraceId": "t-1"})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["objectWriteTraceId"] == "t-1"
    after = crm.get(f"{OBJECTS}/contacts/{known}", properties="rescore_score").json()
    assert after["properties"]["rescore_score"] == "87"
    assert after["updatedAt"] > before["updatedAt"]
    newest = crm.everything("contacts")[-1]
    assert newest["id"] == known, "our own write shows up as a change"


def test_an_empty_value_clears_the_property(crm: Crm):
    (known,) = known_ids(crm, 1)
    crm.update({"id": known, "properties": {"jobtitle": ""}})
    assert (
        crm.get(f"{OBJECTS}/contacts/{known}", properties="jobtitle").json()["properties"]["jobtitle"] is None
    )


@pytest.mark.parametrize(
    ("bad", "category", "code"),
    [
        pytest.param(
            {"id": UNKNOWN, "properties": {"jobtitle": "x"}}, "OBJECT_NOT_FOUND", None, id="unknown id"
        ),
        pytest.param(
            {"properties": {"nope": "x"}}, "VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST", id="unknown property"
        ),
        pytest.param(
            {"properties": {"rescore_score": "many"}},
            "VALIDATION_ERROR",
            "INVALID_INTEGER",
            id="not a number",
        ),
        pytest.param(
            {"properties": {"hs_email_optout": "perhaps"}},
            "VALIDATION_ERROR",
            "INVALID_OPTION",
            id="not a flag",
        ),
        pytest.param(
            {"properties": {"createdate": "1"}}, "VALIDATION_ERROR", "READ_ONLY_VALUE", id="read only"
        ),
    ],
)
def test_one_bad_record_is_reported_and_stops_no_other(crm: Crm, bad, category, code):
    add_score(crm)
    good, other = known_ids(crm, 2)
    answer = crm.update(
        {"id": other, "objectWriteTraceId": "bad"} | bad, {"id": good, "properties": {"rescore_score": "5"}}
    )
    assert answer.status_code == 207
    body = answer.json()
    assert [record["id"] for record in body["results"]] == [good]
    assert body["numErrors"] == 1
    (error,) = body["errors"]
    assert error["category"] == category
    assert error["context"] == {"ids": [bad.get("id", other)], "objectWriteTraceId": ["bad"]}
    assert [detail["code"] for detail in error.get("errors", [])] == ([code] if code else [])


def test_an_update_never_creates(crm: Crm):
    before = crm.status()["rows"]["contacts"]
    crm.update({"id": UNKNOWN, "properties": {"jobtitle": "x"}})
    assert crm.status()["rows"]["contacts"] == before


@pytest.mark.parametrize("call", ["update", "read"])
@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(["100001", "100001"], id="an id twice"),
        pytest.param([str(100001 + n) for n in range(101)], id="101 inputs"),
    ],
)
def test_a_batch_the_vendor_refuses_whole_changes_nothing(crm: Crm, call, ids):
    inputs = [{"id": record_id, "properties": {"jobtitle": "changed"}} for record_id in ids]
    answer = crm.post(f"{OBJECTS}/contacts/batch/{call}", {"inputs": inputs})
    assert answer.status_code == 400
    assert (
        crm.get(f"{OBJECTS}/contacts/100001", properties="jobtitle").json()["properties"]["jobtitle"]
        != "changed"
    )


def test_values_that_are_not_text_are_refused(crm: Crm):
    (known,) = known_ids(crm, 1)
    assert crm.update({"id": known, "properties": {"numemployees": 7}}).status_code == 400


def test_every_engagement_leads_to_its_contact(reading: Crm):
    shown = {record["id"] for record in reading.everything("contacts")}
    calls = [record["id"] for record in reading.everything("calls")][:1000]
    body = {"inputs": [{"id": call} for call in calls]}
    answer = reading.post("/crm/associations/2026-09/calls/contacts/batch/read", body)
    assert answer.status_code == 200
    pairs = {row["from"]["id"]: [to["toObjectId"] for to in row["to"]] for row in answer.json()["results"]}
    assert set(pairs) == set(calls)
    assert {contact for contacts in pairs.values() for contact in contacts} <= shown


def test_associations_of_unknown_engagements_are_named_and_more_than_a_thousand_refused(reading: Crm):
    path = "/crm/associations/2026-09/calls/contacts/batch/read"
    answer = reading.post(path, {"inputs": [{"id": UNKNOWN}]})
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["context"]["fromObjectId"] == [UNKNOWN]
    assert reading.post(path, {"inputs": [{"id": str(n)} for n in range(1001)]}).status_code == 400


def test_a_property_is_created_once(crm: Crm):
    add_score(crm)
    body = {
        "name": "rescore_score",
        "label": "Score",
        "type": "number",
        "fieldType": "number",
        "groupName": "rescore",
    }
    assert crm.post(PROPERTIES, body).status_code == 409
    assert crm.post(f"{PROPERTIES}/groups", {"name": "rescore", "label": "Again"}).status_code == 409
    names = [known["name"] for known in crm.get(PROPERTIES).json()["results"]]
    assert names.count("rescore_score") == 1
    assert crm.get(f"{PROPERTIES}/rescore_score").json()["type"] == "number"
    assert crm.get(f"{PROPERTIES}/nope").status_code == 404


def test_a_batch_of_properties_creates_what_is_new_and_reports_what_is_not(crm: Crm):
    add_score(crm)
    fresh = {
        "name": "rescore_band",
        "label": "Band",
        "type": "string",
        "fieldType": "text",
        "groupName": "rescore",
    }
    answer = crm.post(f"{PROPERTIES}/batch/create", {"inputs": [fresh, fresh | {"name": "rescore_score"}]})
    assert answer.status_code == 207
    assert [known["name"] for known in answer.json()["results"]] == ["rescore_band"]
    assert answer.json()["errors"][0]["category"] == "CONFLICT"


def test_a_property_needs_a_group_that_exists(crm: Crm):
    body = {"name": "a_b", "label": "A", "type": "string", "fieldType": "text", "groupName": "nowhere"}
    assert crm.post(PROPERTIES, body).status_code == 400


def test_modified_properties_are_named_as_the_vendor_names_them(reading: Crm):
    for kind in ("contacts", "notes"):
        record = reading.search(kind, limit=1).json()["results"][0]
        assert record["properties"][MODIFIED.get(kind, "hs_lastmodifieddate")] == record["updatedAt"]
