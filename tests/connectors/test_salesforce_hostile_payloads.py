"""Whatever comes instead of Salesforce's answers, a run ends with one sentence and no value of a lead."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.catalog import open_source
from rescore.connectors.salesforce import Salesforce
from rescore.errors import RescoreError
from tests.connectors.pretend_server import Asked, PretendServer, Reply
from tests.connectors.salesforce_rig import MAPPING, connection

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEAD = "00Q5g00000AAAAAEAA"
STAMP = "2026-11-01T10:00:00.000+0000"
DEEP = b"[" * 100_000


class Vendor:
    """Lets everybody in, and says one thing to everything else."""

    def __init__(self) -> None:
        self.says: Any = {}

    def __call__(self, asked: Asked) -> Reply:
        if "/oauth2/" in asked.path:
            return Reply(body={"access_token": "t", "instance_url": "https://acme.my.salesforce.com"})
        return Reply(body=self.says)


@pytest.fixture
def vendor() -> Iterator[tuple[Vendor, Salesforce]]:
    vendor = Vendor()
    with PretendServer(vendor) as server:
        yield vendor, open_source(connection(server.url), MAPPING)


ODD = [
    pytest.param([], id="an empty list"),
    pytest.param([1, None, "x"], id="a list of nothing"),
    pytest.param({"records": "none"}, id="records that are none"),
    pytest.param({"records": None, "done": True}, id="no records"),
    pytest.param({"records": [{}], "done": False}, id="a page that nobody can read on from"),
    pytest.param({"records": [{"Id": LEAD, "SystemModstamp": "soon"}], "done": False}, id="no moment"),
    pytest.param(
        {
            "records": [{"Id": LEAD, "SystemModstamp": STAMP}],
            "done": False,
            "nextRecordsUrl": "@evil.example/x",
        },
        id="a next page elsewhere",
    ),
    pytest.param(
        {"records": [{"Id": LEAD, "SystemModstamp": STAMP}], "done": False, "nextRecordsUrl": "/services/x"},
        id="a page that leads to itself",
    ),
    pytest.param(DEEP, id="very deep"),
    pytest.param(b"\xff\xfe", id="no text"),
]


@pytest.mark.parametrize("says", ODD)
def test_reading_ends_with_one_sentence(vendor: tuple[Vendor, Salesforce], says: Any):
    said, crm = vendor
    said.says = says
    with pytest.raises(RescoreError) as caught:
        list(crm.pages("people", None, until=NOW))
    assert "\n" not in str(caught.value)
    assert LEAD not in str(caught.value)


@pytest.mark.parametrize(
    "row",
    [
        {"Id": None},
        {"Id": "' OR Id != '"},
        {"Id": 7},
        {"Id": LEAD, "Email": ["a"], "Title": {"x": 1}, "CreatedDate": "soon", "NumberOfEmployees": "many"},
        {"Id": LEAD, "IsDeleted": True, "MasterRecordId": "'; DROP"},
        {"Id": LEAD, "IsConverted": True, "ConvertedContactId": 5},
        {
            "Id": LEAD,
            "Account": "none",
            "NumberOfEmployees": float("inf"),
            "CreatedDate": "0001-01-01T00:00:00+14:00",
        },
    ],
    ids=str,
)
def test_a_record_that_cannot_be_read_hinders_no_other(vendor: tuple[Vendor, Salesforce], row: dict):
    said, crm = vendor
    said.says = json.dumps(
        {"records": [row, 5, {"Id": LEAD[:-4] + "BEAA", "Title": "CTO"}], "done": True}
    ).encode()
    pages = list(crm.pages("people", None, until=NOW))
    assert any(one.attributes.get("job_title") == "CTO" for page in pages for one in page.leads)


@pytest.mark.parametrize("says", [*ODD, pytest.param([{"success": "yes"}], id="a success that is none")])
def test_a_write_is_never_taken_as_done(vendor: tuple[Vendor, Salesforce], says: Any):
    said, crm = vendor
    said.says = says
    assert _outcome(crm) in ("unknown", "CrmUnavailable")


def _outcome(crm: Salesforce) -> str:
    try:
        return crm.write([ScoreUpdate(LEAD, {"Rescore_Score__c": 7})])[0].kind
    except RescoreError as error:
        return type(error).__name__
