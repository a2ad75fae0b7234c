"""A running Airflow and its CRM: what people do with them, and the means to do them harm."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import requests
from sqlalchemy import text, update

from demo.evidence import Evidence
from demo.processes import Process
from demo.standalone import Standalone
from demo.task_processes import task_process
from rescore.errors import LedgerBusy
from rescore.ledger.tables import delivery, sync
from tests.faults.report import Say

PATIENCE = 600
"""Seconds for anything of Airflow's on a machine that has other things to do."""

LONGER_THAN_ANY_LEASE = timedelta(hours=1)


class NeverHappened(Exception):
    """What a scenario waits for did not come; one sentence."""


@dataclass
class World:
    """One running world, and what a scenario does to it."""

    standalone: Standalone
    evidence: Evidence
    say: Say
    disk: Path
    small_disk: bool
    stopped: list[psutil.Process] = field(default_factory=list)

    # ── what people and the CRM do ───────────────────────────────────────────────────────────────────

    def days_pass(self, days: float = 0.5) -> None:
        """Let activity of so many days appear in the CRM."""
        self.standalone.crm("POST", f"/sandbox/release?days={days}")

    def script(self, **fault: object) -> None:
        """Make the CRM, or the receiver, fail at the next call of this kind."""
        self.standalone.crm("POST", "/sandbox/faults", {"faults": [fault]})

    def played(self) -> int:
        """How many scripted faults have begun."""
        return int(self.standalone.crm("GET", "/sandbox/status")["faults"]["played"])

    def told(self) -> Counter[str]:
        """Everything that anybody outside was told so far."""
        crm = self.standalone.crm("GET", "/sandbox/status")
        return Counter(
            {
                "batches written": crm["contact_writes"]["batch_updates"],
                "records written": crm["contact_writes"]["records"],
                "webhooks": crm["deliveries"]["received"] + crm["deliveries"]["repeated"],
                "webhooks refused": crm["deliveries"]["rejected"],
                "tasks": crm["tasks_made"],
            }
        )

    # ── Airflow ──────────────────────────────────────────────────────────────────────────────────────

    def calm(self) -> None:
        """Wait until nobody runs, nor is about to by schedule."""
        self.until("everything before is over", self._idle)

    def begin(self, dag: str = "score_leads", **conf: object) -> str:
        """Start a run at once; its id."""
        return self.standalone.api.trigger(dag, dict(conf))

    def start(self, dag: str = "score_leads", **conf: object) -> str:
        """Start a run as soon as it is calm; its id."""
        self.calm()
        return self.begin(dag, **conf)

    def _idle(self) -> bool:
        soon = (datetime.now(UTC) + timedelta(seconds=75)).minute // 15 != datetime.now(UTC).minute // 15
        return not soon and not any(
            run["state"] in ("running", "queued")
            for dag in ("score_leads", "rescore_all")
            for run in self.standalone.api.runs(dag)
        )

    def finished(self, run_id: str, dag: str = "score_leads") -> None:
        """Wait for a run, which has to end well.

        Raises:
            NeverHappened: It does not.
        """
        state = self.standalone.api.wait(dag, run_id, seconds=PATIENCE, say=lambda _: None)
        if state != "success":
            tasks = self.standalone.api.tasks(dag, run_id)
            raise NeverHappened(f"{dag} {run_id} ended as {state}: {tasks}")

    def run(self, dag: str = "score_leads", **conf: object) -> str:
        """One whole run; its id."""
        run_id = self.start(dag, **conf)
        self.finished(run_id, dag)
        return run_id

    def task(self, run_id: str, task: str, dag: str = "score_leads") -> str:
        """The id of a task's present try, once it has a process."""
        instances = [""]

        def there() -> bool:
            instances[0] = self.standalone.api.task_instance(dag, run_id, task)["id"]
            return task_process(instances[0]) is not None

        self.until(f"{task} of {run_id} runs", there, every=0.3)
        return instances[0]

    def tries(self, run_id: str, task: str, dag: str = "score_leads") -> int:
        """How often a task was tried."""
        return int(self.standalone.api.task_instance(dag, run_id, task)["try_number"])

    def was_tried_again(self, run_id: str, task: str, dag: str = "score_leads") -> None:
        """Make sure that the fault had its effect.

        Raises:
            NeverHappened: The first try got through.
        """
        if self.tries(run_id, task, dag) < 2:
            raise NeverHappened(f"{task} of {run_id} was never tried again")

    def until(self, what: str, truth: Callable[[], object], *, every: float = 1) -> None:
        """Wait until something is true.

        Raises:
            NeverHappened: It was not, all that time.
        """
        deadline = time.monotonic() + PATIENCE
        while not _now(truth):
            if time.monotonic() > deadline:
                raise NeverHappened(f"{what}: not within {PATIENCE} s")
            time.sleep(every)

    # ── harm ─────────────────────────────────────────────────────────────────────────────────────────

    def kill(self, task_instance_id: str, *, with_supervisor: bool = False) -> None:
        """SIGKILL for a task's process, or for both its processes, as when a worker's machine dies."""
        for process in self._pair(task_instance_id, supervisor=with_supervisor):
            process.kill()

    def freeze(self, task_instance_id: str) -> None:
        """SIGSTOP for a task and its supervisor: no heartbeat, and nobody knows why."""
        self.stopped = self._pair(task_instance_id, supervisor=True)
        for process in self.stopped:
            process.suspend()

    def mend(self) -> None:
        """Whatever a scenario that broke off may have left: frozen tasks, dead servers."""
        for process in self.stopped:
            if process.is_running():
                process.kill()
        self.stopped = []
        dead = [part for part, server in self.standalone.airflow.items() if not server.is_alive()]
        for part in dead:
            self.standalone.start_part(part)
        if dead:
            self.until_healthy()

    def until_healthy(self) -> None:
        """Wait for every part of Airflow, and log in anew."""
        self.standalone.api.wait_until_healthy(
            seconds=PATIENCE, require_alive=lambda: None, say=lambda line: None
        )

    def thaw(self) -> None:
        """SIGCONT: a zombie goes on where it was, its supervisor a moment later."""
        task_first = list(reversed(self.stopped))
        for process in task_first:
            if process.is_running():
                process.resume()
                time.sleep(2)
        self.until("the zombie ends", lambda: not task_first or not _alive(task_first[0]))
        self.stopped = []

    def _pair(self, task_instance_id: str, *, supervisor: bool) -> list[psutil.Process]:
        process = task_process(task_instance_id)
        if process is None:
            raise NeverHappened(f"task instance {task_instance_id} has no process any more")
        parent = process.parent() if supervisor else None
        return [parent, process] if parent is not None else [process]

    def nobody_holds_the_ledger(self) -> bool:
        """Whether a promotion could take its locks now."""
        ledger = self.evidence.workspace.ledger
        if ledger.dialect == "sqlite":
            with closing(sqlite3.connect(self.ledger_file, timeout=0, isolation_level=None)) as probe:
                try:
                    probe.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    return False
                return True
        try:
            with ledger.transaction() as connection:
                connection.execute(text("SELECT 1 FROM control FOR UPDATE NOWAIT"))
        except LedgerBusy:
            return False
        return True

    @property
    def ledger_file(self) -> Path:
        """The ledger, when it is a file."""
        return Path(self.standalone.places.environment()["RESCORE_LEDGER_URL"].removeprefix("sqlite:///"))

    def time_passes(self) -> None:
        """As if an hour had gone by: every lease is over, and what waits for a later try is due."""
        past = datetime.now(UTC) - LONGER_THAN_ANY_LEASE
        with self.evidence.workspace.ledger.transaction() as connection:
            for table in (sync, delivery):
                held = table.c.lease_until.is_not(None)
                connection.execute(update(table).where(held).values(lease_until=past))
                waits = (table.c.state == "due") & table.c.next_at.is_not(None)
                connection.execute(update(table).where(waits).values(next_at=past))


def second_scheduler(world: World) -> Process:
    """A scheduler beside the first, with workers of its own."""
    process = Process(world.standalone.places.home, "airflow-second-scheduler")
    program = shutil.which("airflow", path=world.standalone.places.environment()["PATH"])
    command = [program or "airflow", "scheduler", "--skip-serve-logs"]
    process.start(command, world.standalone.places.environment())
    return process


def family_of(process: Process) -> dict[int, psutil.Process]:
    """By pid, a server and all that it has started; a task has a process group of its own."""
    members = process.members()
    members += [child for member in members for child in member.children(recursive=True)]
    return {member.pid: member for member in members}


def kill_with_all(process: Process) -> None:
    """SIGKILL for a server and all that it has started, tasks among them, as when its machine dies."""
    family = family_of(process).values()
    for member in family:
        if member.is_running():
            member.kill()
    psutil.wait_procs(family, timeout=10)


def _now(truth: Callable[[], object]) -> bool:
    """Whether it is true; a server that does not answer on a busy machine has not said no."""
    try:
        return bool(truth())
    except (requests.ConnectionError, requests.Timeout):
        return False


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
