"""A real Airflow with a PostgreSQL of its own, a sandbox CRM that can fail, and the means to do them harm."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import requests
from sqlalchemy import make_url, text, update

from demo.evidence import Evidence
from demo.places import LOOPBACK, PROJECT, CannotStart, Places
from demo.processes import Process
from demo.standalone import Standalone
from demo.task_processes import task_process
from rescore.errors import LedgerBusy
from rescore.ledger.tables import delivery, sync
from tests.faults.report import Say
from tests.support import databases

LEADS = 2_500
HOLD_BACK_DAYS = 14
PATIENCE = 600
"""Seconds for anything of Airflow's on a machine that has other things to do."""

SMALL_DISK = "size=256m"
LONGER_THAN_ANY_LEASE = timedelta(hours=1)
AT_WORK = ("score_leads", "watch_rules", "rescore_all", "review_hold")
"""The other DAGs are paused: on their own schedule they would come in between."""

RULE = "known_to_us"
FOR_EVERYBODY = f"""\
  - id: {RULE}
    label: Known to us
    dimension: fit
    lead: {{created_at: {{exists: true}}}}
    points: 1
"""
"""A rule whose points move every lead, so that a rescore has several chunks."""

QUICKLY = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",  # then its task is declared dead
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "3",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
}


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

    def effects(self) -> int:
        """How many scripted faults have begun; those after the effect had it a moment later."""
        return int(self.standalone.crm("GET", "/sandbox/status")["faults"]["played"])

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

        self.until(f"{task} of {run_id} runs", there, every=0.05)
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

    def until(self, what: str, truth: Callable[[], object], *, every: float = 0.3) -> None:
        """Wait until something is true.

        Raises:
            NeverHappened: It was not, all that time.
        """
        deadline = time.monotonic() + PATIENCE
        while not truth():
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
        for part, server in self.standalone.airflow.items():
            if not server.is_alive():
                self.standalone.start_part(part)

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


@contextmanager
def running(ledger: str, say: Say) -> Iterator[World]:
    """A world with its history read once; nothing of it is left afterwards, whatever happened.

    Args:
        ledger: `sqlite` or `postgresql`. Airflow's own database is PostgreSQL: two schedulers need it.
        say: Told how far it is.
    """
    folder = Path(tempfile.mkdtemp(prefix="rescore-scenarios-"))
    disk = folder / "disk"
    disk.mkdir()
    small = _mount(disk)
    try:
        with databases.new_database() as airflow_url, databases.new_database() as ledger_url:
            own = ledger_url if ledger == "postgresql" else f"sqlite:///{disk / 'rescore' / 'ledger.db'}"
            standalone = Standalone(_places(folder, airflow_url, own), crm_faults=True)
            world = World(standalone, Evidence(standalone), say, disk, small)
            try:
                _end_when_told_to()
                standalone.start(leads=LEADS, hold_back_days=HOLD_BACK_DAYS, say=say)
                for dag in standalone.api.get("dags", limit=100)["dags"]:
                    if dag["dag_id"] not in AT_WORK:
                        standalone.api.send("PATCH", f"dags/{dag['dag_id']}", {"is_paused": True})
                say("the first load")
                world.until("the first run ends", lambda: _over(standalone))
                yield world
            except CannotStart as problem:
                raise NeverHappened(str(problem)) from None
            except requests.RequestException as problem:
                raise NeverHappened(f"a server does not answer: {type(problem).__name__}") from None
            finally:
                standalone.stop()
                end_everything_below(folder)
    finally:
        if small:
            _command("umount", "--lazy", str(disk))
        shutil.rmtree(folder, ignore_errors=True)


def end_everything_below(folder: Path) -> list[int]:
    """End what still runs with a home in this folder, such as a task that outlived its scheduler."""
    left = [process for process in psutil.process_iter() if _lives_in(process, folder)]
    for process in left:
        process.send_signal(signal.SIGKILL)  # a stopped process dies of nothing else
    psutil.wait_procs(left, timeout=10)
    return [process.pid for process in left]


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


def _places(folder: Path, airflow_url: str, ledger_url: str) -> Places:
    rules = folder / "rules"
    shutil.copytree(PROJECT / "include" / "rules", rules)
    scorecard = rules / "b2b_saas.yaml"
    scorecard.write_text(scorecard.read_text().replace("\nrules:\n", f"\nrules:\n{FOR_EVERYBODY}", 1))
    metadata = make_url(airflow_url)
    airflow_port, crm_port = _free_ports(2)
    include, plugins = PROJECT / "include", PROJECT / "plugins"
    policy = Path(__file__).with_name("airflow_policy")
    return Places(
        home=folder / "home",
        airflow_port=airflow_port,
        crm_port=crm_port,
        rules_dir=rules,
        more={
            **QUICKLY,
            "PYTHONPATH": os.pathsep.join(map(str, (include, plugins, policy))),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _as(metadata, "psycopg2"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": _as(metadata, "psycopg_async"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "3",
            "RESCORE_HOME": str(folder / "disk" / "rescore"),
            "RESCORE_LEDGER_URL": ledger_url,
            "RESCORE_POLICY_FILE": str(_lenient_policy(folder)),
        },
    )


def _end_when_told_to() -> None:
    """Let SIGTERM end this process as an exception does, so that nothing is left."""

    def leave(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)


def _mount(folder: Path) -> bool:
    """Make this folder a small disk, where this user may."""
    return _command("mount", "-t", "tmpfs", "-o", SMALL_DISK, "rescore-faults", str(folder))


def _command(program: str, *arguments: str) -> bool:
    found = shutil.which(program)
    if found is None:
        return False
    return not subprocess.run([found, *arguments], check=False, stderr=subprocess.DEVNULL).returncode


def _as(url: object, driver: str) -> str:
    return make_url(str(url)).set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)


def _lenient_policy(folder: Path) -> Path:
    """The shipped limits, but that days which appear at once hold no run: nobody is there to answer."""
    text = (PROJECT / "include" / "policy.yaml").read_text()
    text = text.replace("band_moves: {leads: 200,", "band_moves: {leads: 5000,")
    text = text.replace("extract: {rows: 100,", "extract: {rows: 1000000,")
    policy = folder / "policy.yaml"
    policy.write_text(text)
    return policy


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind((LOOPBACK, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _over(standalone: Standalone) -> bool:
    runs = standalone.api.runs("score_leads")
    return bool(runs) and all(run["state"] == "success" for run in runs)


def _lives_in(process: psutil.Process, folder: Path) -> bool:
    """By its environment, or, where it wrote its title over that, by its log."""
    try:
        home = process.environ().get("AIRFLOW_HOME", "")
        files = [file.path for file in process.open_files()]
    except psutil.Error:
        return False
    return any(path.startswith(f"{folder}/") for path in (home, *files))


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
