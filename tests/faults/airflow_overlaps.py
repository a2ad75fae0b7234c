"""Scenarios in which runs repeat or overlap, or a part of Airflow, the ledger or the disk gives way."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select, text

from demo.rule_edits import rescored
from demo.task_processes import task_process
from rescore.ledger.tables import score
from tests.faults.airflow_kills import edit
from tests.faults.airflow_world import (
    NeverHappened,
    World,
    family_of,
    kill_with_all,
    second_scheduler,
)

LOCKED_SECONDS = 60
QUARTER = timedelta(minutes=15)
LEFT_ON_DISK = 64 * 1024


def old_run_cleared(world: World) -> None:
    """Somebody clears a whole run of before, while the state of record is newer."""
    world.days_pass()
    old = world.run()
    world.days_pass()
    world.run()
    before = _moments(world)
    wish = {"dry_run": False, "dag_run_id": old, "only_failed": False, "reset_dag_runs": True}
    world.standalone.api.send("POST", "dags/score_leads/clearTaskInstances", wish)
    world.until("it begins again", lambda: world.tries(old, "score") > 1)
    world.finished(old)
    never_older(before, _moments(world))


def same_rescore_twice(world: World) -> None:
    """The same request again, and another of the same kind."""
    api, conf = world.standalone.api, {"scorecard": "b2b_saas"}
    world.days_pass()
    world.calm()
    first = api.trigger("rescore_all", conf, run_id="asked_for_twice")
    try:
        api.trigger("rescore_all", conf, run_id="asked_for_twice")
    except requests.HTTPError as problem:
        if problem.response.status_code != requests.codes.conflict:
            raise
    else:
        raise NeverHappened("Airflow took the same run twice")
    second = api.trigger("rescore_all", conf)
    for run_id in (first, second):
        world.finished(run_id, "rescore_all")


def same_moment_thrice(world: World) -> None:
    """score_leads twice and rescore_all, all as of one moment, the last two at the same time."""
    world.days_pass()
    world.calm()
    moment = datetime.now(UTC).isoformat()
    body: dict[str, Any] = {"logical_date": None, "run_after": moment, "conf": {}}
    started = [
        (dag, world.standalone.api.send("POST", f"dags/{dag}/dagRuns", body)["dag_run_id"])
        for dag in ("score_leads", "rescore_all")
    ]
    again = body | {"dag_run_id": "the-same-moment-again"}
    run_id = world.standalone.api.send("POST", "dags/score_leads/dagRuns", again)["dag_run_id"]
    started.append(("score_leads", run_id))
    for dag, run_id in started:
        world.finished(run_id, dag)


def backfill_beside_the_schedule(world: World) -> None:
    """Three quarters of an hour of before, newest first and two at a time, while the present is scored."""
    world.days_pass()
    world.run()
    world.days_pass()
    world.calm()
    before = _moments(world)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    wish = {
        "dag_id": "score_leads",
        "from_date": (now - 4 * QUARTER).isoformat(),
        "to_date": (now - 2 * QUARTER).isoformat(),
        "run_backwards": True,
        "max_active_runs": 2,
    }
    world.standalone.api.send("POST", "backfills", wish)
    world.finished(world.begin())
    runs = [run for run in world.standalone.api.runs("score_leads") if run["run_type"] == "backfill"]
    if not runs:
        raise NeverHappened("Airflow made no run for the backfill")
    for run in runs:
        world.finished(run["dag_run_id"])
    never_older(before, _moments(world))


def two_schedulers(world: World) -> None:
    """Two of them share the work; the one whose task runs is killed with all its workers."""
    second = second_scheduler(world)
    try:
        world.until("two schedulers are alive", lambda: _schedulers(world) == 2)
        world.days_pass()
        world.calm()
        rescore, run_id = world.begin("rescore_all"), world.begin(everybody=True)
        victim = task_process(world.task(run_id, "score"))
        first = world.standalone.airflow["scheduler"]
        owner = first if victim is not None and victim.pid in family_of(first) else second
        kill_with_all(owner)
        world.finished(run_id)
        world.finished(rescore, "rescore_all")
        if owner is first:
            world.standalone.start_part("scheduler")
    finally:
        second.stop()
    world.until("one scheduler is left", lambda: _schedulers(world) == 1)


def triggerer_killed(world: World) -> None:
    """An edit arrives while nobody watches the files; score_leads adopts it."""
    triggerer = world.standalone.airflow["triggerer"]
    world.calm()
    kill_with_all(triggerer)
    was = edit(world)
    world.run()
    world.until("the edit is in force and everybody rescored", lambda: rescored(world.evidence, was))
    world.standalone.start_part("triggerer")


def api_server_restarted(world: World) -> None:
    """The server that tasks speak to is gone in the middle of a run, and comes back."""
    world.days_pass()
    run_id = world.start(everybody=True)
    world.task(run_id, "score")
    kill_with_all(world.standalone.airflow["api-server"])
    world.standalone.start_part("api-server")
    world.until_healthy()
    world.finished(run_id)


def ledger_locked(world: World) -> None:
    """Somebody holds the whole ledger for a minute, longer than anybody waits for it."""
    world.days_pass()
    run_id = world.start()
    world.task(run_id, "extract")
    ledger = world.evidence.workspace.ledger
    released = threading.Event()

    def hold() -> None:
        with ledger.transaction() as connection:
            if ledger.dialect == "postgresql":
                connection.execute(text("LOCK TABLE control, stream, run, sync, delivery, breaker"))
            released.wait(LOCKED_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        holder.join()
    finally:
        released.set()
    world.finished(run_id)


def disk_full(world: World) -> None:
    """The disk with lake and ledger is full until somebody makes room."""
    world.days_pass()
    world.calm()
    with _filled(world.disk):
        run_id = world.begin()
        world.until("a task fails for want of room", lambda: _tried_again(world, run_id))
    world.finished(run_id)


SCENARIOS: dict[str, Callable[[World], None]] = {
    "an old run cleared": old_run_cleared,
    "the same rescore asked for twice": same_rescore_twice,
    "three runs as of one moment": same_moment_thrice,
    "a backfill beside the schedule": backfill_beside_the_schedule,
    "two schedulers, one killed with its tasks": two_schedulers,
    "the triggerer killed, the rules edited": triggerer_killed,
    "the API server killed in the middle, and back": api_server_restarted,
    "the ledger locked for a minute": ledger_locked,
}

ON_A_SMALL_DISK: dict[str, Callable[[World], None]] = {"the disk full": disk_full}
"""Where this user may mount one."""


Moments = dict[tuple[str, str], tuple[int, datetime, int]]
"""By scorecard and lead, the three that never go back."""


def _moments(world: World) -> Moments:
    with world.evidence.workspace.ledger.reading() as connection:
        rows = connection.execute(select(score)).all()
    return {(row.scorecard, row.lead): (row.activation_seq, row.as_of, row.input_ver) for row in rows}


def never_older(before: Moments, after: Moments) -> None:
    """Refuse, as a violation, a record in which anything went back."""
    back = [
        lead
        for lead, (activation, as_of, input_ver) in before.items()
        if activation > after[lead][0] or as_of > after[lead][1] or input_ver > after[lead][2]
    ]
    if back:
        raise AssertionError(f"{len(back)} scores of record went back, such as that of {back[0]}")


def _schedulers(world: World) -> int:
    jobs = world.standalone.api.get("jobs", job_type="SchedulerJob", is_alive=True, job_state="running")
    return len(jobs["jobs"])


def _tried_again(world: World, run_id: str) -> bool:
    tasks = world.standalone.api.get(f"dags/score_leads/dagRuns/{run_id}/taskInstances")["task_instances"]
    return any(task["try_number"] > 1 or task["state"] == "up_for_retry" for task in tasks)


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """Nearly no room on this disk."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(LEFT_ON_DISK))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
                    break
        yield
    finally:
        filler.unlink(missing_ok=True)
