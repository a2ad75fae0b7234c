"""The sandbox organisation refuses what Salesforce refuses: a test that passes against it means something."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.records import Records, stamp
from sandbox_salesforce.soql import run
from sandbox_salesforce.testing import SalesforceServer
from sandbox_salesforce.vendor import Refusal
from sandbox_salesforce.world import add_score_fields

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BELOW = "/services/data/v64.0"


@pytest.fixture(scope="module")
def server() -> Iterator[SalesforceServer]:
    org = Organisation(clock=lambda: NOW)
    add_score_fields(org)
    with SalesforceServer(org) as server:
        yield server


def call(server: SalesforceServer, method: str, path: str, **what: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {server.organisation.open_session()}", **what.pop("headers", {})}
    return requests.request(method, server.url + BELOW + path, headers=headers, timeout=30, **what)


def collection(server: SalesforceServer, records: list[dict]) -> requests.Response:
    return call(server, "PATCH", "/composite/sobjects", json={"allOrNone": False, "records": records})


def lead(server: SalesforceServer, **values: object) -> str:
    return server.organisation.records.insert("Lead", "", **values)


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Leads", "INVALID_TYPE"),
        ("SELECT Id, Nope FROM Lead", "INVALID_FIELD"),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Nope = 'a'", "INVALID_FIELD"),
        ("SELECT Nobody.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Title = 2026-01-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE IsDeleted = 'false'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Id = 'a' AND Id = 'b' OR Id = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id IN ()", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER Id", "MALFORMED_QUERY"),
    ],
)
def test_a_query_that_salesforce_would_not_take(soql: str, code: str):
    with pytest.raises(Refusal) as caught:
        run(soql, Records(lambda: NOW), deleted=True)
    assert caught.value.code == code


def test_more_than_two_hundred_records_or_ten_changes_of_kind_make_no_collection(server: SalesforceServer):
    one = {"attributes": {"type": "Lead"}, "id": lead(server)}
    other = {"attributes": {"type": "Contact"}, "id": server.organisation.records.insert("Contact", "")}
    assert collection(server, [one] * 201).json()[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert collection(server, [one, other] * 6).json()[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert collection(server, [one, other] * 5).status_code == 200


def test_a_wrong_type_or_column_refuses_the_whole_call_and_a_wrong_value_its_record(server: SalesforceServer):
    fine = {"attributes": {"type": "Lead"}, "id": lead(server), "Title": "CTO"}
    bad = {"attributes": {"type": "Lead"}, "id": lead(server)}
    assert collection(server, [fine, bad | {"Nope": 1}]).json()[0]["errorCode"] == "INVALID_FIELD"
    wrong = collection(server, [fine, bad | {"Rescore_Score__c": "ten"}])
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    mixed = collection(server, [bad | {"SystemModstamp": stamp(NOW)}, fine])
    assert mixed.status_code == 200
    assert [one["success"] for one in mixed.json()] == [False, True]
    assert mixed.json()[0]["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_without_a_session_there_is_nothing(server: SalesforceServer):
    answer = requests.get(server.url + BELOW + "/query/", params={"q": "SELECT Id FROM Lead"}, timeout=30)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_a_page_has_two_hundred_rows_at_least_and_two_thousand_at_most(server: SalesforceServer):
    for _ in range(210):
        server.organisation.records.insert("Campaign", "")
    asked = {"params": {"q": "SELECT Id FROM Campaign"}}
    few = call(server, "GET", "/query/", headers={"Sforce-Query-Options": "batchSize=5"}, **asked).json()
    assert (len(few["records"]), few["done"]) == (200, False)
    rest = call(server, "GET", few["nextRecordsUrl"].removeprefix(BELOW)).json()
    assert (len(rest["records"]), rest["done"]) == (10, True)
    assert call(server, "GET", "/query/01gNothing-200").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_bulk_job_goes_its_one_way(server: SalesforceServer):
    begin = {"object": "Lead", "operation": "update", "contentType": "CSV"}
    job = call(server, "POST", "/jobs/ingest", json=begin).json()["id"]
    path, csv = f"/jobs/ingest/{job}", {"Content-Type": "text/csv"}
    assert call(server, "GET", f"{path}/successfulResults").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert call(server, "PUT", f"{path}/batches", data=b"Id\n", headers=csv).status_code == 201
    assert call(server, "PUT", f"{path}/batches", data=b"Id\n", headers=csv).status_code == 400
    assert call(server, "PATCH", path, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    assert call(server, "PATCH", path, json={"state": "UploadComplete"}).status_code == 400
    states = [call(server, "GET", path).json()["state"] for _ in range(3)]
    assert states == ["InProgress", "InProgress", "JobComplete"]
    assert call(server, "PATCH", path, json={"state": "Aborted"}).status_code == 400


def test_a_lead_that_is_changed_without_a_word_goes_to_whom_the_rules_say(server: SalesforceServer):
    org = server.organisation
    org.queue = "00G5g000001abcdEAA"
    changed = lead(server, OwnerId=org.admin)
    collection(server, [{"attributes": {"type": "Lead"}, "id": changed, "Title": "CTO"}])
    assert org.records.find(changed)[1]["OwnerId"] == org.queue


def test_a_record_changed_meanwhile_is_not_changed_again(server: SalesforceServer):
    changed = lead(server)
    unless = {"If-Unmodified-Since": "Sat, 21 Nov 2026 11:59:59 GMT"}
    assert call(server, "PATCH", f"/sobjects/Lead/{changed}", json={}, headers=unless).status_code == 412
    unless = {"If-Unmodified-Since": "Sat, 21 Nov 2026 12:00:00 GMT"}
    assert call(server, "PATCH", f"/sobjects/Lead/{changed}", json={}, headers=unless).status_code == 204
