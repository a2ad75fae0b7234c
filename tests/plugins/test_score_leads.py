"""`score_leads` in a real Airflow against a CRM on a real socket: what arrives, and what a rerun does."""

import asyncio
import json
import sqlite3
from datetime import timedelta

import pytest
import requests
from airflow.models.asset import AssetEvent
from airflow.utils.session import create_session

from rescore.ledger.scores.streams import take_fence
from rescore_airflow.assets import RULES, SCORES
from tests.support.deployment import connect_crm, sandbox

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


def release(crm) -> None:
    requests.post(
        f"{crm.url}/sandbox/release", headers={"Authorization": f"Bearer {crm.token}"}, timeout=10
    ).raise_for_status()


def rows(deployment, sql: str) -> list[tuple]:
    with sqlite3.connect(deployment.rules.parent / "ledger.db") as connection:
        return connection.execute(sql).fetchall()


def test_scores_reach_the_crm_and_a_second_run_writes_nothing(deployment, crm):
    first = deployment.run("score_leads")
    assert first.state == "success"
    assert {task for task, state in first.tasks.items() if state != "success"} == {"tell_people"}
    assert first.counts("adopt_rules") == {"activated": 2, "held": 0, "unchanged": 0, "rejected": 0}
    written = crm.sandbox.records_written
    assert written > 40
    assert not crm.sandbox.deliveries, "the first load fires nothing"

    again = deployment.run("score_leads")
    assert again.state == "success"
    assert crm.sandbox.records_written == written
    assert not crm.sandbox.deliveries

    release(crm)
    after = deployment.run("score_leads")
    assert after.state == "success"
    assert crm.sandbox.records_written > written, "three days of activity move some scores"

    written, delivered = crm.sandbox.records_written, len(crm.sandbox.deliveries)
    deployment.run("score_leads")
    assert (crm.sandbox.records_written, len(crm.sandbox.deliveries)) == (written, delivered)


def test_what_passes_between_tasks_is_run_keys_and_counts(deployment, crm):
    run = deployment.run("score_leads")
    keys = {f"score_leads/{run.run_id}/{card}" for card in ("account_engagement", "b2b_saas")}
    for task in ("score", "deltas", "gate"):
        assert set(run.counts(task)) == keys
        assert all(isinstance(n, int) for counts in run.counts(task).values() for n in counts.values())
    for counts in (run.counts_of("extract"), run.counts_of("update_crm")):
        assert all(isinstance(count, int) for count in counts.values())
    for task in ("run_automations", "adopt_rules"):
        assert all(isinstance(count, int) for count in run.counts(task).values())


def test_no_lead_data_enters_logs_or_xcom(deployment, crm, capfd):
    runs = [deployment.run("score_leads")]
    release(crm)
    runs.append(deployment.run("score_leads"))
    out, err = capfd.readouterr()
    said = out + err + "".join(repr(run.xcom) for run in runs)
    assert "b2b_saas" in said, "the logs were captured"
    contacts = crm.sandbox.store.rows("SELECT properties FROM objects WHERE type = 'contacts'")
    canaries = {
        str(value)
        for (properties,) in contacts
        for name, value in json.loads(properties).items()
        if name in ("email", "firstname", "lastname", "phone", "jobtitle", "company") and len(str(value)) > 5
    }
    assert len(canaries) > 60
    assert {canary for canary in canaries if canary in said} == set()
    assert crm.token not in said


def asset_events(run) -> dict[str, dict]:
    """Asset name -> extra of the events a run caused."""
    with create_session() as session:
        events = session.query(AssetEvent).filter_by(source_run_id=run.run_id).all()
        return {event.asset.name: event.extra for event in events}


def test_counts_show_as_asset_events_and_rules_only_when_files_differed(deployment, crm):
    first = deployment.run("score_leads")
    events = asset_events(first)
    assert events[RULES.name] == {"activated": 2, "held": 0, "unchanged": 0, "rejected": 0}
    promoted = [counts["promoted"] for counts in first.counts("gate").values()]
    assert events[SCORES.name]["promoted"] == sum(promoted) > 0

    assert set(asset_events(deployment.run("score_leads"))) == {SCORES.name}


def test_rows_that_cannot_be_facts_are_counted_and_stop_nobody(deployment, crm):
    run = deployment.run("score_leads")
    counted = {
        name: count for name, count in run.counts_of("extract").items() if name.startswith("set aside")
    }
    assert sum(counted.values()) > 0
    assert run.state == "success"


def test_a_run_of_a_past_moment_does_not_overwrite_the_present(deployment, crm):
    deployment.run("score_leads")
    before = rows(deployment, "select scorecard, lead, score, as_of, ver from score order by 1, 2")
    written = crm.sandbox.records_written
    backfill = deployment.run("score_leads", run_after=deployment.now - timedelta(days=30), everybody=True)
    assert backfill.state == "success"
    assert rows(deployment, "select scorecard, lead, score, as_of, ver from score order by 1, 2") == before
    assert crm.sandbox.records_written == written


def test_a_run_that_steps_back_for_another_reader_still_scores_what_has_landed(deployment):
    with sandbox() as crm:
        crm.app.add_middleware(AnotherReader, ledger=deployment.workspace.ledger)
        connect_crm(deployment, crm)
        run = deployment.run("score_leads")
    assert run.tasks["extract"] == "skipped"
    assert {task for task, state in run.tasks.items() if state != "success"} == {
        *("extract", "everything_read", "tell_people")
    }
    assert run.state == "success"


class AnotherReader:
    """Stands before the CRM: whoever reads page views finds that another run has begun to read everything."""

    def __init__(self, app, ledger) -> None:
        self.app, self.ledger = app, ledger

    async def __call__(self, scope, receive, send) -> None:
        if scope.get("path", "").startswith("/events/"):
            await asyncio.to_thread(self.begin)
        await self.app(scope, receive, send)

    def begin(self) -> None:
        with self.ledger.transaction() as connection:
            for stream in ("contacts", "page_views", "email_events", "form_submissions", "calls"):
                take_fence(connection, "hubspot", stream)


def test_the_form_narrows_a_run_to_one_scorecard(deployment, crm):
    run = deployment.run("score_leads", scorecard="b2b_saas", everybody=True)
    assert list(run.counts("score")) == [f"score_leads/{run.run_id}/b2b_saas"]


@pytest.mark.parametrize(
    ("dag_id", "known"),
    [
        pytest.param("score_leads", "`everybody`, `scorecard`", id="score_leads"),
        pytest.param("rescore_all", "`scorecard`", id="rescore_all"),
    ],
)
def test_a_misspelt_key_of_the_form_is_refused_with_those_there_are(deployment, capfd, dag_id, known):
    run = deployment.run(dag_id, scorecrad="b2b_saas")
    assert run.state == "failed"
    assert set(run.tries.values()) <= {0, 1}
    assert f"{dag_id} does not know `scorecrad`; start it again with {known}" in "".join(capfd.readouterr())


def test_a_wrong_token_fails_at_once_with_one_sentence_and_loses_nothing(deployment, crm, capfd):
    deployment.connect("rescore_hubspot", crm.url, "pat-wrong-token")
    run = deployment.run("score_leads")
    assert run.state == "failed"
    assert (run.tasks["extract"], run.tries["extract"]) == ("failed", 1)
    assert (run.tasks["score"], run.tasks["everything_read"]) == ("success", "upstream_failed")
    out = "".join(capfd.readouterr())
    assert "HubSpot refused the token (401)" in out
    assert "pat-wrong-token" not in out
    assert "Traceback" not in out, "what led to the sentence stays out of the log"

    deployment.connect("rescore_hubspot", crm.url, crm.token, searches=1000, calls=10_000)
    assert deployment.run("score_leads").state == "success"
    assert crm.sandbox.records_written > 40


def test_an_unreachable_crm_is_tried_again(deployment, capfd):
    deployment.connect("rescore_hubspot", "http://127.0.0.1:9", "pat-any")
    run = deployment.run("score_leads")
    assert (run.tasks["extract"], run.tries["extract"]) == ("failed", 2)
    assert "nothing listens at 127.0.0.1:9" in "".join(capfd.readouterr())


def test_a_missing_connection_says_how_to_make_it(deployment, capfd):
    run = deployment.run("score_leads")
    assert (run.tasks["extract"], run.tries["extract"]) == ("failed", 1)
    out = "".join(capfd.readouterr())
    assert out.count("there is no Connection `rescore_hubspot`") == len(["extract", "update_crm"])
    assert "Traceback" not in out


def test_a_broken_rules_file_leaves_the_run_green_and_the_last_good_version_in_force(deployment, crm):
    deployment.run("score_leads")
    (deployment.rules / "b2b_saas.yaml").write_text("scorecard: b2b_saas\nscorecard: twice\n")
    run = deployment.run("score_leads")
    assert run.state == "success"
    assert run.counts("adopt_rules")["rejected"] == 1
    assert any(line.startswith("b2b_saas.yaml:2:1: ") for line in run.xcom["adopt_rules", "problems"])
    assert f"score_leads/{run.run_id}/b2b_saas" in run.counts("gate")
