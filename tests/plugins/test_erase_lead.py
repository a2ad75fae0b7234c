"""`erase_lead` in Airflow: by a request's id, never by a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rescore.errors import InputUnreadable
from rescore.lake.lake import Lake
from rescore.lake.records import LeadRecord, Page
from rescore.ledger.scores import streams
from rescore.pipeline.erase import ask_to_erase
from rescore.workspace import Workspace
from rescore_airflow.operators.erase import EraseLeadOperator
from tests.support.airflow_home import PROJECT  # noqa: F401 - sets Airflow up

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def ws(ledger, tmp_path):
    """Two leads have landed."""
    lake = Lake(str(tmp_path / "lake"), buckets=1)
    page = Page(leads=[LeadRecord("1042", {}), LeadRecord("1043", {})])
    lake.land("hubspot", page, stream="leads", number=1, known_at=START)
    with ledger.transaction() as connection:
        lease = streams.take_fence(connection, "hubspot", "leads")
        streams.commit_landing(connection, lease, cursor={}, dirty={})
    return Workspace(ledger, lake, tmp_path, tmp_path, tmp_path / "reports", tmp_path / "policy.yaml")


def erase(ws, request):
    return EraseLeadOperator(task_id="erase").work(ws, {"params": {"request": request}})


def test_a_request_is_carried_out_once(ws):
    request = ask_to_erase(ws, ["hubspot:1042"], by="ute", at=START)
    assert erase(ws, request)["erased"] == 1
    assert erase(ws, request) == {}


def test_an_empty_form_carries_out_all_that_wait(ws):
    for lead in ("hubspot:1042", "hubspot:1043"):
        ask_to_erase(ws, [lead], by="ute", at=START)
    assert erase(ws, None)["erased"] == 2


def test_who_is_known_to_nobody_is_not_counted_as_erased(ws):
    ask_to_erase(ws, ["hubspot:9999999"], by="ute", at=START)
    assert erase(ws, None) == {"kept out, known to nobody here": 1}


@pytest.mark.parametrize("typed", ["hubspot:1042", "ada@person.example"])
def test_a_person_typed_into_the_form_is_refused_and_not_repeated(ws, typed):
    with pytest.raises(InputUnreadable, match="no request's id") as refused:
        erase(ws, typed)
    assert typed not in str(refused.value)
