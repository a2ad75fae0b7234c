"""`reconcile` in a real Airflow: what was overwritten in the CRM is ours again after the next run."""

import json

import pytest
from sqlalchemy import update

from rescore.erased import Person
from rescore.ledger import tables
from rescore.ledger.outbox import restored
from rescore.ledger.people import erasures

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


def shown(crm, contact: int) -> str | None:
    row = crm.sandbox.store.objects("contacts", [contact])[contact]
    return json.loads(row["properties"]).get("rescore_score")


@pytest.fixture
def scored(deployment, crm) -> int:
    """A contact whose score the CRM shows."""
    assert deployment.run("score_leads").state == "success"
    (row,) = crm.sandbox.store.rows(
        "SELECT id FROM objects WHERE type = 'contacts' AND visible AND properties ->> 'rescore_score' > '0'"
        " LIMIT 1"
    )
    return int(row["id"])


def test_what_another_program_wrote_is_found_and_the_next_run_writes_ours(deployment, crm, scored):
    ours = shown(crm, scored)
    crm.sandbox.store.write(scored, {"rescore_score": "999"}, crm.sandbox.now())
    run = deployment.run("reconcile")
    assert run.state == "success"
    assert run.counts_of("read_back")["drift"] == 1
    assert shown(crm, scored) == "999", "reconcile itself writes nothing"
    written = crm.sandbox.records_written
    deployment.run("score_leads")
    assert (shown(crm, scored), crm.sandbox.records_written) == (ours, written + 1)


def test_everybody_is_read_back_when_the_form_says_so(deployment, crm, scored):
    everybody = deployment.run("reconcile").counts_of("read_back")["read back"]
    run = deployment.run("reconcile", everybody=True)
    assert run.counts_of("read_back")["read back"] == everybody > 40
    assert "drift" not in run.counts_of("read_back")


def test_an_erasure_that_cannot_be_finished_is_told_and_keeps_nothing_else_from_being_done(
    deployment, crm, scored
):
    """No request can name half a character; in the ledger it may stand all the same."""
    with deployment.workspace.ledger.transaction() as connection:
        stuck, other = (
            erasures.ask(connection, Person.of([lead]), at=deployment.now, by="ute")
            for lead in ("hubspot:\udce9", "hubspot:999999")
        )
        connection.execute(update(tables.erasure).values(state=erasures.BEGUN))
    crm.sandbox.store.write(scored, {"rescore_score": "999"}, crm.sandbox.now())
    run = deployment.run("reconcile")
    assert run.tasks == {"rescue": "success", "read_back": "success", "finish_erasures": "failed"}
    assert run.counts_of("read_back")["drift"] == 1
    with deployment.workspace.ledger.reading() as connection:
        assert [erasures.find(connection, each).state for each in (stuck, other)] == ["begun", "done"]


def test_after_a_restore_nothing_is_written_until_somebody_resumes(deployment, crm, scored):
    with deployment.workspace.ledger.transaction() as connection:
        restored.notice(connection, at=deployment.now, why="a test said so")
    crm.sandbox.store.write(scored, {"rescore_score": "999"}, crm.sandbox.now())
    written = crm.sandbox.records_written
    assert deployment.run("score_leads").state == "success"
    assert deployment.run("reconcile").counts_of("read_back")["drift"] == 1
    deployment.run("score_leads")
    assert crm.sandbox.records_written == written
    with deployment.workspace.ledger.transaction() as connection:
        restored.resume(connection, at=deployment.now, by="rita")
    deployment.run("score_leads")
    assert shown(crm, scored) != "999"
