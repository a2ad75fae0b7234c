"""A deployment in which one person has left a trace everywhere."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord, SetAside, Unclaimed
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.score import score
from rescore.pipeline.shadow import start_shadow_file
from rescore.plan.make import make_plan
from rescore.rules.load import load_scorecard
from rescore.workspace import Workspace
from tests.conftest import BOTH
from tests.support import databases
from tests.support.main_job import MAPPINGS, RULES, Job

ADA, ADA_OLD, ADDRESS = "lead-ada-7741", "lead-ada-7700", "ada.lovelace@person.example"
NAMES = (ADA, ADA_OLD, ADDRESS)
PERSON = {"leads": [f"hubspot:{ADA}"], "addresses": [ADDRESS]}


def open_job(ledger: Ledger, home: Path) -> Job:
    rules = home / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    lake = Lake(str(home / "lake"), buckets=2)
    policy = MAPPINGS.with_name("policy.yaml")
    return Job(Workspace(ledger, lake, rules, MAPPINGS, home / "reports", policy))


def tell_of_everybody(job: Job) -> None:
    """What the CRM says: Ada under two records and an address, and three others."""
    job.crm.put_lead(ADA_OLD, {"job_title": "Director of Sales", "mail": ADDRESS})
    job.crm.put_lead("bob", {"job_title": "Developer", "mail": "bob@others.example"})
    job.crm.put_lead("eve", {"job_title": "Director"})
    job.crm.put_unreadable("activities", SetAside("activity", "x1", "bad", f"{{'to': '{ADDRESS}'}}"))
    job.crm.put_unreadable("leads", SetAside("lead", ADA, "bad", "no properties"))
    job.crm.put_activity(Unclaimed(ADDRESS, ActivityRecord("open-1", "", "email_open", job.now)))
    job.crm.put_activity(Unclaimed("who@others.example", ActivityRecord("open-2", "", "email_open", job.now)))
    job.visit(ADA_OLD, number=2)
    job.visit("eve", number=2)


def live(job: Job) -> None:
    """Runs in which she is scored, fires, is merged, planned, staged, and still waits for this and that."""
    job.write_rules()
    tell_of_everybody(job)
    job.run()
    job.visit(ADA_OLD, number=2)
    job.run()
    job.ws.lake.fold_in()
    job.crm.put_lead(ADA, {"job_title": "Director of Sales", "mail": ADDRESS}, merged=[ADA_OLD])
    job.visit(ADA, number=3)
    job.visit("bob", number=6)
    job.run()
    more = RULES.replace("points: 10", "points: 11")
    card = load_scorecard(more.encode(), name="more")
    make_plan(job.ws, scorecard="b2b_saas", new=card, new_version=None, as_of=job.now, at=job.now, by="test")
    start_shadow_file(job.ws, "b2b_saas", body=more.encode(), name="more.yaml", at=job.now, by="test")
    job.visit(ADA, number=1)
    job.extract()
    for key in job.start():  # a run that is killed before the gate
        score(job.ws, key)
        stage_deltas(job.ws, key)
    verify = job.ws.reports_dir / "verify"
    verify.mkdir()
    (verify / "2026.json").write_text(f'[{{"lead": "hubspot:{ADA}"}}, {{"lead": "hubspot:bob"}}]')
    (verify / "overtaken.txt").write_text(f"hubspot:{ADA}\nhubspot:bob\n")
    override = {"target": "hubspot", "property": "rescore_score", "scorecard": "b2b_saas", "state": "open"}
    override |= {"owner": "ute", "reason": "knows better", "seen_at": job.now, "expires_at": job.now}
    with job.ws.ledger.transaction() as connection:
        connection.execute(insert(tables.override).values(lead=f"hubspot:{ADA}", **override))


def another(lived: Job, folder: Path) -> Job:
    """The same deployment once more, in a folder and a database of its own."""
    lived.ws.ledger.close()
    home = folder / "home"
    shutil.copytree(lived.ws.reports_dir.parent, home)
    url = databases.copied(lived.ws.ledger.url.render_as_string(hide_password=False), folder / "ledger.db")
    job = open_job(Ledger(url), home)
    job.crm, job.receiver = copy.deepcopy((lived.crm, lived.receiver))
    job.now, job.runs = lived.now, lived.runs
    return job


@pytest.fixture(scope="session", params=BOTH)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """Such a life on either database, to be copied."""
    folder = tmp_path_factory.mktemp("lived")
    on_server = request.param == "postgresql"
    ledger = Ledger(databases.created() if on_server else f"sqlite:///{folder / 'ledger.db'}")
    migrate(ledger)
    job = open_job(ledger, folder / "home")
    live(job)
    yield job
    databases.leave(ledger)


@pytest.fixture
def job(lived: Job, tmp_path: Path) -> Iterator[Job]:
    """A life on either database."""
    job = another(lived, tmp_path)
    yield job
    databases.leave(job.ws.ledger)
