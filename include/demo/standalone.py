"""A sandbox CRM and a standalone Airflow, brought up together and taken down together.

Airflow's parts are started one by one, as `airflow standalone` does, because its log servers listen on every
interface and no setting changes that; here nothing does but the loopback's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from demo.airflow_api import AirflowApi
from demo.places import CRM_LIMITS, CannotStart, Places
from demo.processes import Process

Say = Callable[[str], None]
AIRFLOW = {
    "api-server": [],
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}
"""The parts of Airflow and their options; all of them read the same log folder, nobody needs it served."""

HEALTHY_WITHIN = 240
WORLD_WITHIN = 240
RUN_WITHIN = 400


class Standalone:
    """One running demo world: `start` it, use `api` and `crm`, `stop` it."""

    def __init__(self, places: Places, *, crm_faults: bool = False) -> None:
        self.places = places
        self._crm_flags = ["--faults"] if crm_faults else []
        self.airflow = {part: Process(places.home, f"airflow-{part}") for part in AIRFLOW}
        self.crm_server = Process(places.home, "sandbox_crm")
        self.api = AirflowApi(places)

    def stop(self) -> bool:
        """End every server; True if something ran."""
        ended = [process.stop() for process in (*self.airflow.values(), self.crm_server)]
        return any(ended)

    def start(self, *, leads: int, hold_back_days: int, say: Say) -> None:
        """Begin anew: empty stores, a fresh Airflow, a CRM whose last days are held back.

        Raises:
            CannotStart: A port is taken, or a server did not come up.
        """
        if self.stop():
            say("ended the one that was running; its scores and its login are gone")
        self.places.require_free_ports()
        shutil.rmtree(self.places.home, ignore_errors=True)
        self.places.home.mkdir(parents=True)
        (self.places.home / "passwords.json").write_text(json.dumps({"admin": self.places.password}))
        say("making the ledger")
        self.rescore("setup", "ledger")
        self.crm_server.start(self._crm_command(leads, hold_back_days), self.places.environment())
        say("making Airflow's database")
        self._run("airflow", "db", "migrate")
        for part in AIRFLOW:
            self.start_part(part)
        self._wait_for_crm(say)
        self.api.wait_until_healthy(seconds=HEALTHY_WITHIN, require_alive=self._require_alive, say=say)
        say("creating the score properties in the CRM")
        self.rescore("setup", "hubspot")

    def start_part(self, part: str) -> None:
        """Start one part of Airflow, such as one that was killed: nothing else does."""
        command = [_tool("airflow"), part, *AIRFLOW[part]]
        self.airflow[part].start(command, self.places.environment())

    def _crm_command(self, leads: int, hold_back_days: int) -> list[str]:
        options = {
            "--host": "127.0.0.1",
            "--port": self.places.crm_port,
            "--token": self.places.crm_token,
            "--webhook-secret": self.places.webhook_secret,
            "--leads": leads,
            "--hold-back-days": hold_back_days,
            "--cache": self.places.world_cache,
            "--calls-per-ten-seconds": CRM_LIMITS["calls"],
            "--searches-per-second": CRM_LIMITS["searches"],
        }
        return [
            sys.executable,
            "-m",
            "sandbox_crm",
            *(str(x) for pair in options.items() for x in pair),
            *self._crm_flags,
        ]

    def _wait_for_crm(self, say: Say) -> None:
        deadline = time.monotonic() + WORLD_WITHIN
        while time.monotonic() < deadline:
            if not self.crm_server.is_alive():
                raise CannotStart(f"the sandbox CRM ended; its log ends:\n{self.crm_server.last_lines()}")
            try:
                self.crm("GET", "/sandbox/status")
            except requests.RequestException:
                say(self.crm_server.last_lines(1) or "making the CRM's world")
                time.sleep(1)
            else:
                return
        raise CannotStart(f"the sandbox CRM was not up after {WORLD_WITHIN} s")

    def first_scheduled_run(self, *, say: Say) -> str:
        """Wait for the run that Airflow starts by itself for the last quarter of an hour; its final state.

        Raises:
            CannotStart: There was none, or it did not end.
        """
        deadline = time.monotonic() + HEALTHY_WITHIN
        while not (runs := self.api.runs("score_leads")):
            if time.monotonic() > deadline:
                raise CannotStart(f"Airflow started no run of score_leads within {HEALTHY_WITHIN} s")
            say("waiting for the first scheduled run")
            time.sleep(0.5)
        return self.api.wait("score_leads", runs[-1]["dag_run_id"], seconds=RUN_WITHIN, say=say)

    def _require_alive(self) -> None:
        for part, process in self.airflow.items():
            if not process.is_alive():
                raise CannotStart(f"Airflow's {part} ended; its log ends:\n{process.last_lines()}")

    def rescore(self, *arguments: str) -> str:
        """Run the command line in this world; its output.

        Raises:
            CannotStart: It failed; the text is what it said.
        """
        return self._run("rescore", *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603
            [_tool(program), *arguments],
            env=self.places.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"`{program} {' '.join(arguments)}` failed: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def crm(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call to the sandbox CRM."""
        answer = requests.request(
            method,
            f"{self.places.crm_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.places.crm_token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return dict(answer.json())


def _tool(name: str) -> str:
    """A program of this virtual environment, or of the PATH.

    Raises:
        CannotStart: It is in neither.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise CannotStart(f"the program `{name}` is missing; run `make setup`")
    return found
