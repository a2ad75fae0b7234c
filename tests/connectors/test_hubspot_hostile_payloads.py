"""Answers that no HubSpot should give: each ends as rows set aside or as one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import RescoreError
from rescore.lake.lake import Lake
from rescore.mapping import Mapping
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from tests.connectors.conftest import HUBSPOT_YAML, NOW
from tests.connectors.pretend_server import Asked, PretendServer, Reply

LIMITS = Limits(calls=10**6, searches=10**6, overlap=0, waits=0)
STREAMS = tuple(read_mapping(HUBSPOT_YAML).activities)
AT = "2026-11-20T10:00:00.000Z"
ADA = "ada.lovelace@person.example"
"""Stands in every answer's free texts and must never get into a sentence."""


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply()) as server:
        yield server


@pytest.fixture
def hubspot(server, mapping: Mapping) -> HubSpot:
    return HubSpot(server.url, "pat-secret", mapping, LIMITS)


def told(**body: Any) -> Reply:
    return Reply(200, {"results": [], "events": []} | body)


ANSWERS = {
    "a page to log in": Reply(200, f"<html>{ADA}</html>".encode(), {"Content-Type": "text/html"}),
    "a content type that quotes": Reply(200, b"no", {"Content-Type": ADA}),
    "nothing of the sort": Reply(200, b"[]"),
    "a text": Reply(200, b'"results"'),
    "a number": Reply(200, b"7"),
    "null": Reply(200, b"null"),
    "half of an answer": Reply(200, b'{"results": [{"id": "1", "prop'),
    "two answers": Reply(200, b'{"results": []}{"results": []}'),
    "another encoding": Reply(200, '{"results": []}'.encode("utf-16")),
    "no encoding": Reply(200, b'{"results": ["\xe9\xff"]}'),
    "nested without end": Reply(200, b'{"results":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a number of 5,000 digits": Reply(200, b'{"results": [{"id": ' + b"9" * 5000 + b"}]}"),
    "a refusal without words": Reply(400, b""),
    "a refusal that quotes": Reply(400, {"category": ADA, "message": ADA}),
    "a refusal in a list": Reply(400, {"category": [ADA], "errors": 7}),
    "a refusal in a map": Reply(400, {"category": {"is": ADA}, "errors": {"context": ADA}}),
    "forbidden, of errors that are none": Reply(403, {"errors": 5}),
    "forbidden, of scopes that are none": Reply(403, {"errors": [{"context": {"requiredScopes": 5}}]}),
    "forbidden, quoting": Reply(403, {"errors": [{"context": {"requiredScopes": [ADA]}, "message": ADA}]}),
    "forbidden, in a list": Reply(403, b"[1]"),
    "unauthorised, quoting": Reply(401, {"message": f"{ADA} pat-secret"}),
    "too many, for ever": Reply(429, {"policyName": ADA}, {"Retry-After": "inf"}),
    "too many, for nothing": Reply(429, {"policyName": [ADA]}, {"Retry-After": "nan"}),
    "too many, for ages": Reply(429, {}, {"Retry-After": "1e300"}),
    "too many, in words": Reply(429, b"slow down", {"Retry-After": f"ask {ADA}"}),
    "a quota beyond counting": Reply(
        503, {}, {"x-hubspot-ratelimit-daily": "9" * 300, "x-hubspot-ratelimit-daily-remaining": "1"}
    ),
    "paging that is a number": told(paging=5),
    "a next page that is a text": told(paging={"next": ADA}),
    "a next page by a map": told(paging={"next": {"after": {"a": 1}}}, hasMore=True, offset={"a": 1}),
}  # fmt: skip


@pytest.mark.parametrize("stream", ["contacts", "deleted contacts", *STREAMS])
@pytest.mark.parametrize("answer", [pytest.param(answer, id=name) for name, answer in ANSWERS.items()])
def test_an_answer_that_is_none_is_one_sentence_or_an_empty_page(server, hubspot, answer, stream):
    server.answer = lambda asked: answer
    try:
        pages = list(hubspot.pages(stream, None, until=NOW))
    except RescoreError as said:
        sentence = str(said)
        assert sentence.isprintable()
        assert len(sentence) < 400
        assert ADA not in sentence
        assert "pat-secret" not in sentence
    else:
        assert [row for page in pages for row in (*page.leads, *page.activities)] == []


class Crm:
    """An account in which one contact is in order and another one is as a test says."""

    def __init__(self) -> None:
        self.contacts: list[Any] = []
        self.views: list[Any] = []

    def __call__(self, asked: Asked) -> Reply:
        rows: list[Any] = []
        if asked.path.endswith("contacts/search"):
            rows = self.contacts
        elif asked.path.startswith("/events"):
            rows = self.views
        return Reply(200, json.dumps({"results": rows, "events": []}).encode())


@pytest.fixture
def crm(server) -> Crm:
    server.answer = Crm()
    return server.answer


@pytest.fixture
def ws(ledger, tmp_path: Path) -> Workspace:
    lake = Lake(str(tmp_path / "lake"), buckets=2)
    return Workspace(ledger, lake, tmp_path, HUBSPOT_YAML.parent, tmp_path, tmp_path)


def contact(number: Any, **properties: Any) -> dict[str, Any]:
    return {"id": number, "properties": {"lastmodifieddate": AT} | properties}


def view(number: Any, **changes: Any) -> dict[str, Any]:
    return {"id": number, "objectId": "7", "occurredAt": AT, "properties": {}} | changes


ROWS = {
    "an id with half a character": contact("\ud800"),
    "an id with a NUL": contact("a\x00b"),
    "an id that is a map": contact({"a": 1}),
    "an id of 100,000 characters": contact("9" * 100_000),
    "a title with half a character": contact("8", jobtitle="CTO \ud83d"),
    "a title with a NUL": contact("8", jobtitle="C\x00TO"),
    "a title of a million characters": contact("8", jobtitle="x" * 1_000_000),
    "a title that is a map": contact("8", jobtitle={"is": "CTO"}),
    "a number beyond counting": contact("8", numemployees="9" * 400),
    "a date before the calendar": contact("8", createdate="-0001-01-01"),
    "properties in a list": {"id": "8", "properties": [1]},
    "a merge with itself": contact("8", hs_merged_object_ids="8"),
    "a merge with half a character": contact("8", hs_merged_object_ids="\ud800;9"),
    "an address with half a character": contact("8", email="\ud800@x.example"),
    "no contact at all": 7,
}
VIEWS = {
    "an id with half a character": view("\udfff"),
    "an id with a NUL": view("\x00"),
    "somebody with half a character": view("v", objectId="\ud800"),
    "somebody with a NUL": view("v", objectId="\x007"),
    "a page with half a character": view("v", properties={"hs_url": "https://x.example/\ud800"}),
    "a page with a NUL": view("v", properties={"hs_url": "https://x.example/\x00"}),
    "a title with half a character": view("v", properties={"hs_page_title": "\ud800"}),
    "a title in a list": view("v", properties={"hs_page_title": [1, {"a": 2}]}),
    "a time beyond the calendar": view("v", occurredAt="9999999-01-01T00:00:00Z"),
    "a flag as time": view("v", occurredAt=True),
}


@pytest.mark.parametrize(
    ("kind", "row"),
    [pytest.param("contacts", row, id=f"contact: {name}") for name, row in ROWS.items()]
    + [pytest.param("views", row, id=f"view: {name}") for name, row in VIEWS.items()],
)
def test_a_row_from_nowhere_stops_no_other_on_its_way_into_lake_and_ledger(ws, crm, hubspot, kind, row):
    crm.contacts = [contact("7", jobtitle="CTO")]
    crm.views = [view("good")]
    getattr(crm, kind).insert(0, row)
    extract(ws, hubspot, until=NOW, known_at=datetime(2026, 11, 21, 12, tzinfo=UTC))
    with ws.lake.facts(["hubspot:7"]) as facts:
        assert facts.connection.sql("FROM leads").fetchall()
        assert facts.connection.sql("FROM activities").fetchall()


def test_there_are_at_least_200():
    assert len(ANSWERS) * (2 + len(STREAMS)) + len(ROWS) + len(VIEWS) >= 200
