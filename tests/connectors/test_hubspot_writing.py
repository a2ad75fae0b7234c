"""Scores back to HubSpot: one result per record, matched by id, whatever the answer looks like."""

from collections.abc import Iterator

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.hubspot.client import Client, Limits
from rescore.connectors.hubspot.writing import write_scores
from rescore.errors import CrmFieldMissing, CrmRejectedCredentials, CrmUnavailable
from tests.connectors.pretend_server import Asked, PretendServer, Reply

FAST = Limits(calls=10**6, batch=10, waits=1)
INVALID = {"category": "VALIDATION_ERROR", "message": 'Property values were not valid: "Ada Lovelace"'}


class Contacts:
    """Contacts 1 to 30; a batch with a `poisoned` one is refused as a whole."""

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, str]] = {str(number): {} for number in range(1, 31)}
        self.poisoned: set[str] = set()
        self.calls = 0

    def __call__(self, asked: Asked) -> Reply:
        self.calls += 1
        inputs = asked.json["inputs"]
        if self.poisoned & {one["id"] for one in inputs}:
            return Reply(400, INVALID)
        for one in inputs:
            self.shown[one["id"]].update(one["properties"])
        return Reply(body={"results": [{"id": one["id"]} for one in inputs]})


@pytest.fixture
def contacts() -> Contacts:
    return Contacts()


@pytest.fixture
def server(contacts) -> Iterator[PretendServer]:
    with PretendServer(contacts) as server:
        yield server


def write(server: PretendServer, *ids: str, limits: Limits = FAST, **client):
    updates = [ScoreUpdate(lead_id, {"score": int(lead_id)}) for lead_id in ids]
    return write_scores(Client(server.url, "t", limits, **client), "/update", updates)


def outcome(results) -> dict[str, str]:
    return {result.lead_id: _word(result) for result in results}


def _word(result) -> str:
    return {"unknown": "later", "transient": "later", "record": "refused"}.get(result.kind, result.kind)


def test_records_go_out_in_full_batches(server, contacts):
    assert set(outcome(write(server, *map(str, range(1, 26)))).values()) == {"ok"}
    assert contacts.calls == 3
    assert contacts.shown["25"] == {"score": "25"}


@pytest.mark.parametrize("poisoned", ["1", "7", "10", "3 4", "1 10", "1 2 3"])
def test_one_bad_record_never_blocks_the_others_of_its_batch(server, contacts, poisoned):
    contacts.poisoned = set(poisoned.split())
    results = outcome(write(server, *map(str, range(1, 11))))
    assert {lead for lead, what in results.items() if what == "refused"} == contacts.poisoned
    assert {lead for lead, shown in contacts.shown.items() if shown} == set(results) - contacts.poisoned


def test_a_refusal_says_the_category_and_never_what_the_lead_is_called(server, contacts):
    contacts.poisoned = {"1"}
    [result] = write(server, "1")
    assert result.reason == "HubSpot refused this record: VALIDATION_ERROR"


ALL_OK = {"1": "ok", "2": "ok", "3": "ok"}
NOT_FOUND = {"category": "OBJECT_NOT_FOUND"}


def done(*ids: object) -> dict:
    return {"results": [{"id": one} for one in ids]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(done("3", "1", "2"), ALL_OK, id="another order"),
        pytest.param(done("1", "2", "3", "9"), ALL_OK, id="a stranger"),
        pytest.param(done("1", "1", "1"), ALL_OK | {"2": "later", "3": "later"}, id="the same thrice"),
        pytest.param(done("1", "3"), ALL_OK | {"2": "later"}, id="one missing"),
        pytest.param({"results": []}, dict.fromkeys("123", "later"), id="none"),
        pytest.param({}, dict.fromkeys("123", "later"), id="no results at all"),
        pytest.param({"results": "all fine"}, dict.fromkeys("123", "later"), id="not a list"),
        pytest.param({"results": [None, 7, {"id": 1}]}, ALL_OK | dict.fromkeys("23", "later"), id="junk"),
        pytest.param(
            {"results": [{"objectWriteTraceId": "1"}, {"id": "2"}, {"id": "3"}]}, ALL_OK, id="a trace id only"
        ),
        pytest.param(
            done("1", "3") | {"errors": [NOT_FOUND | {"context": {"ids": ["2"]}}]},
            ALL_OK | {"2": "gone"},
            id="an error that names its id",
        ),
        pytest.param(
            done("1") | {"errors": [NOT_FOUND | {"context": {"ids": ["2", "3"]}}]},
            {"1": "ok", "2": "gone", "3": "gone"},
            id="an error that names two",
        ),
        pytest.param(
            {"results": [], "errors": [NOT_FOUND | {"context": {"objectWriteTraceId": ["2"]}}]},
            {"1": "later", "2": "gone", "3": "later"},
            id="an error that names a trace id",
        ),
        pytest.param(
            done("1", "3") | {"errors": [{}]},
            ALL_OK | {"2": "later"},
            id="an error that names nobody",
        ),
        pytest.param(
            done("1", "2") | {"errors": [{"category": "INTERNAL_ERROR", "id": "3"}]},
            ALL_OK | {"3": "later"},
            id="an error of the server's own",
        ),
        pytest.param(
            done("1", "2", "3") | {"errors": [NOT_FOUND | {"id": "3"}]},
            ALL_OK | {"3": "gone"},
            id="both a result and an error",
        ),
    ],
)
def test_results_are_matched_by_id_and_what_is_not_reported_is_unknown(server, body, expected):
    server.answer = lambda asked: Reply(207, body)
    assert outcome(write(server, "1", "2", "3")) == expected


MISSING = {"category": "VALIDATION_ERROR", "errors": [{"code": "PROPERTY_DOESNT_EXIST"}]}
OF_A_RECORD = {"code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["my_fit"]}}
IN_MESSAGE = (
    'Property values were not valid: [{"isValid":false,"error":"PROPERTY_DOESNT_EXIST","name":"my_fit"}]'
)


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        pytest.param(Reply(400, MISSING), "of the mapping", id="the whole batch"),
        pytest.param(Reply(400, {"message": IN_MESSAGE}), "`my_fit`", id="hidden in the message"),
        pytest.param(
            Reply(
                207,
                {
                    "errors": [
                        {
                            "errors": [
                                {"code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["my_fit"]}}
                            ]
                        }
                    ]
                },
            ),
            "`my_fit`",
            id="a record's error",
        ),
    ],
)
def test_a_missing_property_stops_the_target_with_the_way_out(server, reply, named):
    server.answer = lambda asked: reply
    with pytest.raises(CrmFieldMissing, match=named) as caught:
        write(server, "1", "2")
    assert "rescore setup hubspot" in str(caught.value)
    assert len(server.asked) == 1


def test_an_error_of_the_server_while_halving_keeps_what_the_other_half_said(server, contacts):
    contacts.poisoned = {"1"}
    calls = iter(range(100))

    def stumbling(asked: Asked) -> Reply:
        return Reply(503) if next(calls) == 1 else contacts(asked)

    server.answer = stumbling
    assert outcome(write(server, "1", "2", "3", "4")) == {"1": "later", "2": "later", "3": "ok", "4": "ok"}


def test_halving_ends_in_time_and_leaves_the_rest_for_later(server, contacts):
    contacts.poisoned = {"1"}
    seconds = iter(range(0, 10_000, 100))
    results = write(server, "1", "2", "3", "4", clock=lambda: float(next(seconds)), sleep=lambda wait: None)
    assert "later" in outcome(results).values()
    assert contacts.calls < 5


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401), CrmRejectedCredentials),
        (Reply(403), CrmRejectedCredentials),
        (Reply(404, {"category": "NOT_FOUND"}), CrmUnavailable),
        (Reply(500), CrmUnavailable),
        (Reply(200, b"<html>"), CrmUnavailable),
        (Reply(raw=b""), CrmUnavailable),
    ],
    ids=["401", "403", "404", "500", "HTML", "cut"],
)
def test_what_is_about_the_call_is_no_records_fault(server, reply, error):
    server.answer = lambda asked: reply
    with pytest.raises(error):
        write(server, "1", "2")
    assert len(server.asked) == 1
