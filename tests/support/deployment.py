"""One deployment as its operators see it: an environment to run DAGs in, and a CRM on a real socket."""

from tests.support.airflow_home import PROJECT

# isort: split
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import update

from rescore.ledger.migrate import migrate
from rescore.ledger.tables import activation, breaker, delivery, sync
from rescore.ledger.transaction import Ledger
from rescore.settings import Settings
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world


class Deployment:
    """One deployment as its operators see it: an environment, and DAGs to run in it."""

    def __init__(self, home: Path) -> None:
        self.now = datetime.now(UTC)  # of all its runs, or midnight could fall between two of them
        self.rules = home / "rules"
        self.mappings = home / "mappings"
        self.rules.mkdir()
        for file in (PROJECT / "include" / "rules").glob("*.yaml"):
            card, _, _ = file.read_text().partition("\nexamples:")  # tested elsewhere, and they take seconds
            (self.rules / file.name).write_text(card + "\n")
        shutil.copytree(PROJECT / "include" / "mappings", self.mappings)
        self.environment = {
            "RESCORE_HOME": str(home),
            "RESCORE_RULES_DIR": str(self.rules),
            "RESCORE_MAPPINGS_DIR": str(self.mappings),
        }

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(Settings.from_environment(self.environment))

    def migrate(self) -> None:
        migrate(Ledger(Settings.from_environment(self.environment).ledger_url))

    def connect(self, conn_id: str, url: str, password: str, **extra: Any) -> None:
        fields = {"conn_type": "http", "host": url, "password": password, "extra": extra}
        self.environment[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(fields)
        os.environ |= self.environment

    def run(self, dag_id: str, *, run_after: datetime | None = None, **conf: Any) -> "Run":
        """One DAG run, start to end, with retries that do not wait."""
        dag = DagBag(dag_folder=PROJECT / "dags" / f"{dag_id}.py").dags[dag_id]  # params are the run's own
        for task in dag.tasks:
            task.retries, task.retry_delay, task.retry_exponential_backoff = 1, timedelta(0), 0
            if hasattr(task, "poke_interval"):
                task.poke_interval = 0.1
        return Run(dag.test(logical_date=None, run_after=run_after or self.now, run_conf=conf))

    def edit(self, old: str, new: str, file: str = "b2b_saas.yaml") -> None:
        body = (self.rules / file).read_text()
        assert body.count(old) >= 1, f"{file} has no `{old}`"
        (self.rules / file).write_text(body.replace(old, new, 1))

    def triggered(self, dag_id: str = "rescore_all") -> list[tuple[str, dict[str, Any]]]:
        """(run id, conf) of every run of a DAG that was asked for, oldest first."""
        with create_session() as session:
            runs = session.query(DagRun).filter_by(dag_id=dag_id).order_by(DagRun.id)
            return [(run.run_id, run.conf) for run in runs if not run.run_id.startswith("manual__")]

    def end_triggered(self, state: str) -> None:
        """Let every run that was asked for end in that state."""
        with create_session() as session:
            session.query(DagRun).filter_by(dag_id="rescore_all").update({"state": state})

    def forget_asking(self) -> None:
        """Let the ten minutes pass after which an owed rescore is asked for again."""
        with self.workspace.ledger.transaction() as connection:
            connection.execute(update(activation).values(attempted_at=datetime(2020, 1, 1, tzinfo=UTC)))

    def end_waits(self) -> None:
        """Let the time pass that is waited after failures."""
        long_ago = datetime.now(UTC) - timedelta(days=1)
        with self.workspace.ledger.transaction() as connection:
            connection.execute(update(delivery).values(next_at=long_ago))
            connection.execute(update(sync).where(sync.c.next_at.is_not(None)).values(next_at=long_ago))
            connection.execute(update(breaker).values(open_until=None))


class Run:
    """What became of a DAG run."""

    def __init__(self, run: DagRun) -> None:
        self.run_id = run.run_id
        self.state = str(run.state)
        self.tasks = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
        self.tries = {ti.task_id: ti.try_number for ti in run.get_task_instances()}
        with create_session() as session:
            rows = session.query(XComModel).filter_by(run_id=run.run_id, dag_id=run.dag_id).all()
            self.xcom = {(row.task_id, row.key): XComModel.deserialize_value(row) for row in rows}

    def counts(self, task_id: str) -> Any:
        return self.xcom.get((task_id, "return_value"))

    def counts_of(self, task_id: str, source: str = "hubspot") -> Any:
        """What a task that works on every source or target counted for one of them."""
        return (self.counts(task_id) or {}).get(source)


@contextmanager
def sandbox(*, awkward: bool = False) -> Iterator[SandboxServer]:
    world = build_world(ends_at=datetime.now(UTC) - timedelta(minutes=1), leads=60, awkward=awkward)
    with SandboxServer(world) as server:
        yield server


def connect_crm(deployment: Deployment, server: SandboxServer) -> None:
    """As the demo does: the CRM with its score properties, and both receivers of automations."""
    deployment.connect("rescore_hubspot", server.url, server.token, searches=1000, calls=10_000)
    connect("hubspot", deployment.workspace).setup()
    for hook in ("sales_alerts", "re_engagement"):
        url = f"{server.url}/sandbox/hooks/{hook}"
        deployment.connect(hook, url, server.webhook_secret, rescore_webhook=True)
