"""Control 11: after a whole life, no name and no secret is where a log, Airflow or a terminal shows it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import update

from rescore.ledger import tables
from rescore.pipeline.erase import ask_to_erase
from rescore_airflow.hooks.crm import connect
from sandbox_crm.faults import Fault
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.connectors.pretend_server import Asked, PretendServer, Reply
from tests.delivery.actions.mailbox import Mailbox, Serving
from tests.erasure.copies import files
from tests.security import canaries
from tests.support.airflow_home import HOME

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

CONDITION = (
    "fire_when: {score: {at_least: 100}, fit: {at_least: 20}}\n    ready_again_when: {score: {below: 85}}"
)
OFTEN = "fire_when: {score: {at_least: 25}}\n    ready_again_when: {score: {below: 1}}"
ACTIONS = "do: [{webhook: {connection: sales_alerts}}]"
EVERYTHING = """do:
      - webhook: {connection: sales_alerts}
      - crm_task: {target: hubspot, title: "Call {lead_id}: {reasons}", due: 2d}
      - crm_fields: {target: hubspot, set: {hs_lead_status: {value: OPEN, only_from: [NEW], if_empty: true}}}
      - slack: {connection: sales_slack, text: "{label}: {lead_id} {reasons}"}
      - email: {connection: office_mail, to: [sales@example.com], subject: "{label}", text: "{reasons}"}"""
MOVES_MANY = ("limit: {count: 6}\n    decay: {half_life: 14d}", "limit: {count: 60}")

RESCORE = Path(sys.executable).parent / "rescore"
LOOKS = [
    "status",
    "holds",
    "deliveries",
    "connections",
    "overrides",
    "restored",
    "check {rules}/b2b_saas.yaml",
]
"""Commands that a person may run with others looking on; `explain` shows the lead it is asked about."""

OPEN_TO_THEIR_OWNER = {"lake", "reports", "ledger.db"}
"""Below a deployment's folder: the facts themselves, reports for people, and what the next line says."""

KEPT_AS_WRITTEN = {"rules_version.body"}
"""A rules file is kept exactly as it was read, whatever its author wrote into it."""


def gossip(asked: Asked) -> Reply:
    """Refuses, and repeats in its refusal what it was told, by whom, and a person's name."""
    said = f"{canaries.WORD} {asked.path} {asked.headers} {asked.body!r}"
    return Reply(500, {"message": said, "category": said}, {"X-Said": canaries.WORD})


def refused(path: str, status: int, count: int = 1) -> dict:
    """A fault of the CRM whose message quotes a person."""
    quoted = f"{canaries.WORD}.7@person.example cannot be {canaries.WORD}"
    told = {"status": "error", "message": quoted, "category": "VALIDATION_ERROR", "context": {"id": [quoted]}}
    return Fault(path=path, status=status, count=count, body=told).model_dump()


class Life:
    """A deployment from its first load to an erasure, with everything going wrong on the way."""

    def __init__(self, deployment, crm: SandboxServer) -> None:
        self.deployment, self.crm = deployment, crm
        self.runs = []
        self.said = ""

    def run(self, dag_id: str, state: str = "success", **conf: object) -> None:
        run = self.deployment.run(dag_id, **conf)
        assert run.state == state, dag_id
        self.runs.append(run)

    def break_crm(self, *faults: dict) -> None:
        requests.post(
            f"{self.crm.url}/sandbox/faults", json={"faults": faults}, timeout=10
        ).raise_for_status()

    def looks(self) -> None:
        """What a terminal shows, on both streams."""
        for command in LOOKS:
            words = command.format(rules=self.deployment.rules).split()
            done = subprocess.run([RESCORE, *words], env=dict(os.environ), capture_output=True, text=True)
            assert "Traceback" not in done.stderr
            self.said += done.stdout + done.stderr

    def live(self) -> None:
        self.run("score_leads")
        requests.post(f"{self.crm.url}/sandbox/release", timeout=10).raise_for_status()
        self.break_crm(
            refused("/sandbox/hooks", 500, 3),
            refused("/crm/objects/2026-09/contacts/batch/update", 400, 5),
            refused("/crm/associations/2026-09/contacts/tasks", 400, 3),
        )
        self.run("score_leads")
        self.break_crm(refused("/crm/objects/2026-09/contacts/batch/read", 403), refused("/events", 500, 9))
        self.deployment.run("score_leads")
        self.break_crm()
        self.reject_rules()
        self.hold()
        self.run("plan_rules", file="b2b_saas.yaml", split="job_title")
        with self.deployment.workspace.ledger.transaction() as connection:
            connection.execute(update(tables.score).values(score=tables.score.c.score + 1))
        self.run("verify_scores", "failed", sample=1000)
        self.run("reconcile", everybody=True)
        self.erase()
        self.wrong_token()
        self.looks()

    def reject_rules(self) -> None:
        """Rules by somebody who writes an address and a secret where neither belongs."""
        rules = self.deployment.rules / "b2b_saas.yaml"
        good = rules.read_text()
        secret = f"{{url: 'https://hooks.example/{canaries.WORD}', connection: '{canaries.WORD}/x'}}"
        wrong = f"do: [{{webhook: {secret}}}]"
        rules.write_text(good.replace("do:", f"{wrong}\n    doo:", 1))
        self.run("score_leads")
        assert self.runs[-1].counts("adopt_rules")["rejected"] == 1
        rules.write_text(good)

    def hold(self) -> None:
        """A change that is too big: planned, reported, held, answered from the terminal."""
        policy = self.deployment.rules.parent / "policy.yaml"
        policy.write_text("band_moves: {leads: 3, share: 5%}\ninternal_domains: [example.com]\n")
        self.deployment.edit(*MOVES_MANY)
        self.run("watch_rules")
        ((hold, _),) = self.deployment.triggered("review_hold")
        done = subprocess.run(
            [RESCORE, "review", hold, "--discard"],
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=True,
        )
        self.said += done.stdout + done.stderr

    def erase(self) -> None:
        (lead,) = self.crm.sandbox.store.rows("SELECT max(id) AS id FROM objects WHERE type = 'contacts'")
        key, address = f"hubspot:{lead['id']}", f"{canaries.WORD}.{lead['id']}@person.example"
        ws = self.deployment.workspace
        request = ask_to_erase(ws, [key], addresses=[address], by="ute", at=datetime.now(UTC))
        self.run("erase_lead", request=request)

    def wrong_token(self) -> None:
        self.deployment.connect("rescore_hubspot", self.crm.url, f"pat-{canaries.WORD}-revoked")
        self.run("score_leads", "failed")


@pytest.fixture
def life(deployment, capfd):
    """Lived to its end; everything it said is kept."""
    world = build_world(ends_at=datetime.now(UTC) - timedelta(minutes=1), leads=60, awkward=True)
    mailbox = Mailbox()
    mailbox.answers["DATA"] = f"554 {canaries.WORD}.7@person.example is not welcome here"
    crm = SandboxServer(world, token=canaries.TOKEN, webhook_secret=canaries.WEBHOOK_SECRET)
    with crm, PretendServer(gossip) as slack, Serving(mailbox) as port:
        canaries.plant(crm.sandbox.store)
        deployment.edit(CONDITION, OFTEN)
        deployment.edit(ACTIONS, EVERYTHING)
        policy = deployment.rules.parent / "policy.yaml"
        policy.write_text("internal_domains: [example.com]\n")
        chat = {"conn_type": "slackwebhook", "host": slack.url, "password": canaries.SLACK_PATH}
        mail = {
            "rescore_email": True,
            "from_email": "rescore@example.com",
            "disable_ssl": True,
            "disable_tls": True,
        }
        office = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": mail}
        deployment.environment |= {
            "RESCORE_POLICY_FILE": str(policy),
            "AIRFLOW_CONN_SALES_SLACK": json.dumps(chat | {"extra": {"rescore_slack": True}}),
            "AIRFLOW_CONN_OFFICE_MAIL": json.dumps(office),
        }
        deployment.connect("rescore_hubspot", crm.url, crm.token, searches=1000, calls=10_000)
        connect("hubspot", deployment.workspace).setup()
        for hook in ("sales_alerts", "re_engagement"):
            deployment.connect(
                hook, f"{crm.url}/sandbox/hooks/{hook}", crm.webhook_secret, rescore_webhook=True
            )
        lived = Life(deployment, crm)
        lived.live()
        lived.said += "".join(capfd.readouterr())
        yield lived


def deliveries(life: Life) -> set[tuple[str, str]]:
    with life.deployment.workspace.ledger.reading() as connection:
        return {
            tuple(row)
            for row in connection.execute(
                tables.delivery.select().with_only_columns(tables.delivery.c.kind, tables.delivery.c.state)
            )
        }


def test_nobodys_name_and_no_secret_is_where_others_look(life):
    home = life.deployment.rules.parent
    kinds = {kind for kind, _ in deliveries(life)}
    assert kinds == {"webhook", "crm_task", "crm_fields", "slack", "email"}, "everything was tried"
    assert {state for _, state in deliveries(life)} - {"delivered"}, "and some of it went wrong"
    assert "b2b_saas" in life.said, "what was said was heard"
    assert any(canaries.in_files(home / "lake")), "a canary can be found where it is"
    assert "rescore_airflow.operators" in life.said, "and so were the tasks' logs"

    lines = [line for line in life.said.splitlines() if canaries.flown(line)]
    assert lines == [], "terminal, task logs on their way out"
    assert [run for run in life.runs if canaries.in_json([list(run.xcom.items())])] == [], "XCom"
    assert canaries.in_tables(HOME / "airflow.db") == {}, "Airflow's database, every column of every table"
    assert list(canaries.in_files(HOME)) == [], "Airflow's files, the database byte by byte"
    assert set(canaries.in_tables(home / "ledger.db")) == KEPT_AS_WRITTEN, "the ledger, every column"
    held = {path.relative_to(home).parts[0] for path in canaries.in_files(home)}
    assert held <= OPEN_TO_THEIR_OWNER, "files"

    reports = list(files(home / "reports"))
    assert {path.suffix for path in reports} >= {".json", ".md", ".html"}
    for path in [*reports, home / "ledger.db"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
