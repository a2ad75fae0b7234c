"""Brings up a real Airflow on PostgreSQL and a sandbox CRM that can fail, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import requests
from sqlalchemy import make_url

from demo.evidence import Evidence
from demo.places import LOOPBACK, PROJECT, CannotStart, Places
from demo.standalone import Standalone
from tests.faults.airflow_world import NeverHappened, World
from tests.faults.report import Say
from tests.support import databases

LEADS = 2_500
HOLD_BACK_DAYS = 14
SMALL_DISK = "size=256m"
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
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # a busy machine is no fault that was asked for
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "3",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
}


@contextmanager
def running(ledger: str, say: Say) -> Iterator[World]:
    """A world with its history read once; nothing of it is left afterwards, whatever happened.

    Args:
        ledger: `sqlite` or `postgresql`.
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
                try:
                    yield world
                finally:
                    world.evidence.workspace.ledger.close()
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
    others = (process for process in psutil.process_iter() if process.pid != os.getpid())
    left = [process for process in others if _lives_in(process, folder)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()  # a stopped process dies of nothing else
    psutil.wait_procs(left, timeout=10)
    return [process.pid for process in left]


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
