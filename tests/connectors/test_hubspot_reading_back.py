"""Reading HubSpot back: by id, whatever the answer looks like; silence about a record is no news of it."""

from collections.abc import Iterator

import pytest

from rescore.connectors.hubspot.client import Client, Limits
from rescore.connectors.hubspot.reading_back import read_edits, read_shown
from rescore.errors import CrmUnavailable
from tests.connectors.pretend_server import PretendServer, Reply

FAST = Limits(calls=10**6, batch=100, waits=1)
GONE = {"category": "OBJECT_NOT_FOUND", "context": {"ids": ["1", "2"]}}


@pytest.fixture
def server() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply()) as server:
        yield server


def shown(server, body, *ids: str, status: int = 200):
    server.answer = lambda asked: Reply(status, body)
    return read_shown(Client(server.url, "t", FAST), "/read", ids, ["score"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"results": [{"id": "1", "properties": {"score": "7"}}]}, {"1": {"score": "7"}}),
        ({"results": [{"id": "1", "properties": {"score": ""}}]}, {"1": {"score": None}}),
        ({"results": [{"id": "1", "properties": {}}]}, {"1": {"score": None}}),
        ({"results": [], "errors": [GONE]}, {"1": None}),
        ({"results": [{"id": "1", "properties": {"score": "7"}}], "errors": [GONE]}, {"1": {"score": "7"}}),
        ({"results": [{"id": "9", "properties": {"score": "7"}}]}, {}),
        ({"results": [{"id": "1"}, {"id": 1, "properties": {"score": "7"}}, "rubbish", None]}, {}),
        ({"results": [], "errors": [{"category": "INTERNAL_ERROR", "context": {"ids": ["1"]}}]}, {}),
        ({"results": [], "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": "1"}}]}, {}),
        ({"results": [], "errors": [{"category": "OBJECT_NOT_FOUND"}]}, {}),
    ],
    ids=[
        "a value",
        "an empty text",
        "not among the properties",
        "gone",
        "found and not found",
        "another record",
        "rows without id or properties",
        "an error that says nothing of it",
        "ids that are no list",
        "no ids",
    ],
)
def test_only_what_the_answer_says_of_a_record_is_believed(server, body, expected):
    assert shown(server, body, "1", status=207) == expected


@pytest.mark.parametrize(
    "body", [{}, {"results": {}}, {"status": "error"}], ids=["nothing", "no list", "error"]
)
def test_an_answer_about_nobody_is_none(server, body):
    with pytest.raises(CrmUnavailable, match="without `results`"):
        shown(server, body, "1", "2")


def test_a_call_that_is_refused_says_where_to_look(server):
    with pytest.raises(CrmUnavailable, match="check `read` in the mapping"):
        shown(server, {"category": "VALIDATION_ERROR"}, "1", status=400)


def test_records_are_asked_for_once_each_in_full_batches_and_in_smaller_ones_with_history(server):
    ids = [str(number % 120) for number in range(240)]
    server.answer = lambda asked: Reply(body={"results": []})
    client = Client(server.url, "t", FAST)
    read_shown(client, "/read", ids, ["score"])
    read_edits(client, "/read", ids, ["score"])
    assert [len(asked.json["inputs"]) for asked in server.asked] == [100, 20, 50, 50, 20]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"sourceType": "CRM_UI", "updatedByUserId": 7}, (True, "HubSpot user 7")),
        ({"sourceType": "CRM_UI"}, (True, "CRM_UI")),
        ({"sourceType": "INTEGRATION", "sourceLabel": "Ada Lovelace"}, (False, "INTEGRATION")),
        ({"sourceType": "SOMETHING_NEW"}, (None, "SOMETHING_NEW")),
        ({}, (None, None)),
    ],
    ids=["a user", "a screen", "a program", "an unknown source", "no source"],
)
def test_who_changed_a_value_is_told_without_a_name(server, entry, expected):
    history = [{"value": "7", "timestamp": "2026-11-02T09:00:00Z"} | entry, {"value": "8"}, None]
    body = {"results": [{"id": "1", "propertiesWithHistory": {"score": history}}]}
    server.answer = lambda asked: Reply(body=body)
    (edit,) = read_edits(Client(server.url, "t", FAST), "/read", ["1"], ["score"])["1", "score"]
    assert (edit.by_person, edit.by) == expected
