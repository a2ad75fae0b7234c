"""Airflow's REST API, as far as the demo and the story need it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from demo.places import CannotStart, Places

FINISHED = {"success", "failed"}
DAGS = ("score_leads", "watch_rules", "rescore_all", "review_hold", "rollback_rules")
"""Those that a demo or a story waits for before it begins."""

ASK_AGAIN = Retry(
    total=4,
    connect=0,
    backoff_factor=1,
    status_forcelist={500, 503},
    allowed_methods={"GET", "PATCH"},
    raise_on_status=False,
)
"""On a busy machine Airflow may take longer than anybody waits for an answer, or find its SQLite file locked
and answer 500; to look again, or to set the same again, does no harm."""
TRIES = 4


class AirflowApi:
    """A logged-in client of one standalone Airflow."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(places.airflow_url, HTTPAdapter(max_retries=ASK_AGAIN))

    def wait_until_healthy(
        self, *, seconds: float, require_alive: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        """Wait for every component, and for the DAGs to be known.

        Raises:
            CannotStart: It took longer than `seconds`; and what `require_alive` raises.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            require_alive()
            waiting = self._not_ready()
            if not waiting:
                return
            say(f"waiting for {', '.join(waiting)}")
            time.sleep(1)
        raise CannotStart(f"Airflow was not healthy after {seconds:.0f} s")

    def _not_ready(self) -> list[str]:
        try:
            health = self._session.get(f"{self._places.airflow_url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return ["the API server"]
        parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        waiting = [part for part in parts if health.get(part, {}).get("status") != "healthy"]
        if waiting:
            return waiting
        self._log_in()
        known = {dag["dag_id"] for dag in self.get("dags", limit=100)["dags"]}
        return [f"DAG {name}" for name in DAGS if name not in known]

    def _log_in(self) -> None:
        answer = self._session.post(
            f"{self._places.airflow_url}/auth/token",
            json={"username": "admin", "password": self._places.password},
            timeout=10,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """One GET below /api/v2."""
        return dict(self._ask("GET", f"/api/v2/{path}", params=parameters).json())

    def page(self, path: str) -> str:
        """One page of Airflow's, as somebody who is logged in sees it."""
        return self._ask("GET", path).text

    def send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One POST or PATCH below /api/v2."""
        answer = self._ask(method, f"/api/v2/{path}", json=body)
        return dict(answer.json()) if answer.content else {}

    def _ask(self, method: str, path: str, **what: Any) -> requests.Response:
        """The answer to one call; a refusal is an HTTPError.

        Raises:
            CannotStart: There is no answer.
        """
        try:
            answer = self._session.request(method, f"{self._places.airflow_url}{path}", timeout=30, **what)
        except requests.RequestException as error:
            raise CannotStart(
                f"Airflow at {self._places.airflow_url} does not answer; is the machine "
                f"too busy? Its logs are in {self._places.home}"
            ) from error
        answer.raise_for_status()
        return answer

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, run_id: str | None = None) -> str:
        """Start a manual run and give its id, by which a repeated request is known to be the same."""
        name = run_id or f"manual__{uuid.uuid4()}"
        body = {"logical_date": None, "conf": conf or {}, "dag_run_id": name}
        for attempt in range(1, TRIES + 1):
            try:
                self.send("POST", f"dags/{dag_id}/dagRuns", body)
                return name
            except requests.HTTPError as error:
                status = error.response.status_code
                if status == 409 and attempt > 1:
                    return name
                if status < 500 or attempt == TRIES:
                    raise
                time.sleep(attempt)
        raise AssertionError("the last try returns or raises")

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The newest runs of a DAG, newest first."""
        return list(self.get(f"dags/{dag_id}/dagRuns", limit=50, order_by="-run_after")["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Task id to state, in the order they started."""
        instances = self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"]
        instances.sort(key=lambda task: task["start_date"] or "9")
        return {task["task_id"]: task["state"] or "none" for task in instances}

    def task_instance(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """One task of one run: its `id` (of this try), `state`, `try_number`."""
        return self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}")

    def wait(self, dag_id: str, run_id: str, *, seconds: float, say: Callable[[str], None]) -> str:
        """Wait for a run to finish, telling what it does; its final state.

        Raises:
            CannotStart: It took longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"]
            if state in FINISHED:
                return str(state)
            busy = [task for task, doing in self.tasks(dag_id, run_id).items() if doing == "running"]
            if busy or state != "running":  # between two tasks there is nothing to tell
                say(f"{dag_id}: {', '.join(busy) or state}")
            time.sleep(0.7)
        raise CannotStart(f"{dag_id} {run_id} was not finished after {seconds:.0f} s")
