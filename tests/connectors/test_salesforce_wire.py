"""What goes over the wire is what simple-salesforce itself would send: seen by a server that notes it all."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
import simple_salesforce

from rescore.connectors.actions import NewTask
from rescore.connectors.base import ScoreUpdate
from rescore.connectors.catalog import open_source
from rescore.connectors.connection import Connection
from rescore.connectors.salesforce import Salesforce
from tests.connectors.pretend_server import Asked, PretendServer, Reply
from tests.connectors.salesforce_rig import MAPPING

LEAD, TASK, JOB = "00Q5g00000AAAAAEAA", "00T5g00000AAAAAEAA", "7505g00000AAAAAEAA"
BELOW = "/services/data/v64.0"
APP = {"consumer_key": "key", "consumer_secret": "secret", "domain": "acme.my"}
PASSWORD = {"username": "jane@example.com", "password": "p&ss<"}
SOAP = (
    "<r><serverUrl>https://acme.my.salesforce.com/services/Soap/u/64.0/00D</serverUrl>"
    "<sessionId>session</sessionId></r>"
)
DUE = datetime(2026, 11, 23, 12, tzinfo=UTC)


def vendor(asked: Asked) -> Reply:
    """The least that both sides go on with."""
    path = asked.path.removeprefix(BELOW)
    if asked.path.startswith("/services/Soap"):
        return Reply(200, SOAP.encode(), {"Content-Type": "text/xml"})
    if asked.path.endswith("/oauth2/token"):
        return Reply(body={"access_token": "session", "instance_url": "https://acme.my.salesforce.com"})
    if path == "/queryAll/":
        row = {"Id": LEAD, "SystemModstamp": "2026-11-01T10:00:00.000+0000"}
        return Reply(body={"done": False, "nextRecordsUrl": f"{BELOW}/queryAll/01g-2000", "records": [row]})
    if path.startswith("/queryAll/"):
        return Reply(body={"done": True, "records": []})
    if path == "/composite/sobjects":
        return Reply(body=[{"id": one["id"], "success": True, "errors": []} for one in asked.json["records"]])
    if path.endswith("/batches"):
        return Reply(201, b"")
    if path == "/jobs/ingest":
        return Reply(body={"id": JOB, "state": "Open"})
    if path.startswith("/jobs/ingest") and path.count("/") < 4:
        done = {"numberRecordsProcessed": 1, "numberRecordsFailed": 0}
        return Reply(body={"id": JOB, "state": "JobComplete", **done})
    if path.startswith("/jobs/ingest"):
        return Reply(
            200, f"sf__Id,sf__Created,Id\n{LEAD},false,{LEAD}\n".encode(), {"Content-Type": "text/csv"}
        )
    if path == "/sobjects/Task/":
        return Reply(201, {"id": TASK, "success": True})
    return (
        Reply(204, b"")
        if asked.method == "PATCH"
        else Reply(body={"Id": LEAD, "Status": "Open", "fields": []})
    )


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(vendor) as server:
        yield server


class Redirected(requests.Session):
    """The library by itself: its own requests, only that the vendor's address is the loopback's."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method, url, **kwargs):
        parts = urlsplit(url)
        return super().request(method, url.replace(f"{parts.scheme}://{parts.netloc}", self._url), **kwargs)


def library(server: PretendServer, **given: str) -> simple_salesforce.Salesforce:
    return simple_salesforce.Salesforce(**(given or APP), version="64.0", session=Redirected(server.url))


def ours(server: PretendServer, **extra: object) -> Salesforce:
    fields = (
        {"login": PASSWORD["username"], "password": PASSWORD["password"]} if "security_token" in extra else {}
    )
    made = Connection("rescore_salesforce", server.url, extra=extra or APP, kind="salesforce", **fields)
    return open_source(made, MAPPING)


def noted(server: PretendServer, act: Callable[[], object]) -> list[tuple]:
    """Of each request that an act made: everything that Salesforce looks at."""
    server.asked.clear()
    act()
    return [_seen(asked) for asked in server.asked if "/oauth2/" not in asked.path]


def _seen(asked: Asked) -> tuple:
    headers = {name: asked.headers.get(name) for name in ("content-type", "authorization", "soapaction")}
    kind, body = (asked.headers.get("content-type") or ""), asked.body.decode()
    read: object = body
    if "json" in kind:
        read = json.loads(body) if body else None
    if "csv" in kind:
        read = list(csv.DictReader(io.StringIO(body)))
    return asked.method, asked.path, asked.query, headers, read


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(APP, id="client credentials"),
        pytest.param({**PASSWORD, "security_token": "t<"}, id="password and token"),
    ],
)
def test_a_login_is_the_librarys(server: PretendServer, given: dict[str, str]):
    library(server, **given)
    [theirs] = server.asked
    server.asked.clear()
    crm = ours(server, **{name: value for name, value in given.items() if name not in PASSWORD})
    list(crm.pages("people", None, until=DUE))
    mine = server.asked[0]
    assert (mine.method, mine.path, mine.body) == (theirs.method, theirs.path, theirs.body)
    for name in ("content-type", "soapaction", "authorization"):
        assert mine.headers.get(name) == theirs.headers.get(name)


def test_a_query_and_its_next_page_are_the_librarys(server: PretendServer):
    crm = ours(server)
    mine = noted(server, lambda: list(crm.pages("people", None, until=DUE)))[:2]
    soql = mine[0][2]["q"]
    assert soql.startswith("SELECT Id, SystemModstamp, IsDeleted,")
    assert soql.endswith(
        "FROM Lead WHERE SystemModstamp <= 2026-11-23T12:00:00.000Z ORDER BY SystemModstamp DESC, Id DESC"
    )
    org = library(server)

    def theirs() -> None:
        found = org.query(soql, include_deleted=True)
        org.query_more(found["nextRecordsUrl"], identifier_is_url=True)

    assert mine == noted(server, theirs)


def test_a_collection_is_the_librarys(server: PretendServer):
    crm, org = ours(server), library(server)
    update = ScoreUpdate(LEAD, {"Rescore_Score__c": 7, "Rescore_Band__c": None, "Rescore_Changed_At__c": DUE})
    mine = noted(server, lambda: crm.write([update]))
    record = {
        "attributes": {"type": "Lead"},
        "id": LEAD,
        "Rescore_Score__c": 7,
        "Rescore_Band__c": None,
        "Rescore_Changed_At__c": "2026-11-23T12:00:00.000Z",
    }
    body = {"allOrNone": False, "records": [record]}
    assert mine == noted(server, lambda: org.restful("composite/sobjects", method="PATCH", json=body))


def test_a_bulk_job_is_the_librarys(server: PretendServer):
    crm, org = ours(server, **APP, bulk_above=1), library(server)
    other = LEAD.replace("AAAAA", "BBBBB")
    mine = noted(
        server, lambda: crm.write([ScoreUpdate(one, {"Rescore_Score__c": 7}) for one in (LEAD, other)])
    )

    def theirs() -> None:
        org.bulk2.Lead.update(records=[{"Id": one, "Rescore_Score__c": 7} for one in (LEAD, other)], wait=0)
        org.bulk2.Lead.get_all_ingest_records(JOB)

    assert [one[:2] for one in mine] == [
        ("POST", f"{BELOW}/jobs/ingest"),
        ("PUT", f"{BELOW}/jobs/ingest/{JOB}/batches"),
        ("PATCH", f"{BELOW}/jobs/ingest/{JOB}"),
        ("GET", f"{BELOW}/jobs/ingest/{JOB}"),
        ("GET", f"{BELOW}/jobs/ingest/{JOB}/successfulResults"),
        ("GET", f"{BELOW}/jobs/ingest/{JOB}/failedResults"),
        ("GET", f"{BELOW}/jobs/ingest/{JOB}/unprocessedRecords"),
    ]
    seen = noted(server, theirs)
    del seen[4]  # it looks at the job once more, for counts
    assert mine == seen


def test_a_single_record_is_the_librarys(server: PretendServer):
    crm, org = ours(server), library(server)
    contact = LEAD.replace("00Q", "003")
    mine = noted(server, lambda: crm.fields.write(contact, {"Status": "Working"}))
    assert mine == noted(server, lambda: org.Contact.update(contact, {"Status": "Working"}))
    task = NewTask(contact, "Call", DUE, "0055g00000AAAAAEAA", "d-1", "mql")
    mine = noted(server, lambda: crm.tasks.create(task))
    assert mine == noted(server, lambda: org.Task.create(mine[0][4]))
    assert mine[0][4]["WhoId"] == contact
