"""Scenarios in which a task dies with SIGKILL, or is taken for dead and comes back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
from sqlalchemy import select

from demo.rule_edits import activation, change_points, rescored
from demo.task_processes import half_promoted, rescore_of, task_process
from rescore.ledger.scores import runs
from rescore.ledger.tables import run
from tests.faults.airflow_server import RULE
from tests.faults.airflow_world import NeverHappened, World

BATCH_UPDATE = "/crm/objects/2026-09/contacts/batch/update"
TRIES = 5
"""A promotion takes a second or two: not every attempt at catching it half-way comes in time."""


def in_extract(world: World) -> None:
    """The worker's machine dies between two pages: nobody says so, only the heartbeat stops."""
    world.days_pass()
    run_id = _kept_waiting(world, path="/crm/", skip=4, delay=600)
    world.kill(world.task(run_id, "extract"), with_supervisor=True)
    world.finished(run_id)
    world.was_tried_again(run_id, "extract")


def in_score(world: World) -> None:
    """While everybody is scored."""
    world.days_pass()
    for _ in range(TRIES):
        run_id = world.start(everybody=True)
        victim = world.task(run_id, "score")
        key = f"score_leads/{run_id}/b2b_saas"
        world.until("its run is open", partial(_state, world, key), every=0.01)
        if _state(world, key) == runs.SCORING and task_process(victim):
            world.kill(victim)
        world.finished(run_id)
        if world.tries(run_id, "score") > 1:
            return
    raise NeverHappened(f"in {TRIES} tries no scoring was caught")


def in_gate(world: World) -> None:
    """Between two chunks of a promotion."""
    run_id, gate = _half_way(world)
    gate.kill()
    _rescue_ends(world, run_id)


def in_update_crm(world: World) -> None:
    """The CRM has taken a batch, nobody has heard of it, and the lease stays."""
    world.days_pass(1)
    run_id = _kept_waiting(world, path=BATCH_UPDATE, late=60)
    world.kill(world.task(run_id, "update_crm"))
    world.finished(run_id)
    world.was_tried_again(run_id, "update_crm")
    world.time_passes()


def in_run_automations(world: World) -> None:
    """The receiver has acted, nobody has heard of it, and the lease stays."""
    for _ in range(TRIES):
        world.days_pass(1)
        try:
            run_id = _kept_waiting(world, path="/sandbox/hooks/", late=60)
        except NeverHappened:
            continue  # nothing fired that day
        world.kill(world.task(run_id, "run_automations"))
        world.finished(run_id)
        world.was_tried_again(run_id, "run_automations")
        world.time_passes()
        return
    raise NeverHappened(f"in {TRIES} days no automation fired")


def zombie_in_gate(world: World) -> None:
    """A promotion stands still beyond its heartbeat; the retry ends it, then the first goes on."""
    run_id, _ = _half_way(world)
    world.freeze(world.standalone.api.task_instance("rescore_all", run_id, "gate")["id"])
    _rescue_ends(world, run_id)
    world.thaw()


def zombie_in_update_crm(world: World) -> None:
    """A batch is written and its sender stands still beyond heartbeat and lease; others write it again."""
    world.days_pass(1)
    run_id = _kept_waiting(world, path=BATCH_UPDATE, late=5)
    world.freeze(world.task(run_id, "update_crm"))
    world.time_passes()
    world.finished(run_id)
    world.was_tried_again(run_id, "update_crm")
    world.thaw()


SCENARIOS: dict[str, Callable[[World], None]] = {
    "kill -9 in extract, with its supervisor": in_extract,
    "kill -9 in score": in_score,
    "kill -9 in the gate, between chunks": in_gate,
    "kill -9 in update_crm, after the CRM took a batch": in_update_crm,
    "kill -9 in run_automations, after the receiver acted": in_run_automations,
    "zombie in the gate": zombie_in_gate,
    "zombie in update_crm": zombie_in_update_crm,
}


def edit(world: World) -> int:
    """Give everybody a point more; the activation in force before."""
    was = activation(world.evidence).activation_seq
    change_points(rules_file(world), by=1, rule=RULE)
    return was


def rules_file(world: World) -> Path:
    """The scorecard that the scenarios edit."""
    return world.standalone.places.rules_dir / "b2b_saas.yaml"


def _kept_waiting(world: World, **fault: object) -> str:
    """Start a run that the CRM, or the receiver, keeps waiting at one call; its id, when it waits.

    Raises:
        NeverHappened: It ended without such a call.
    """
    world.calm()
    played, told = world.played(), world.told()
    world.script(**fault)
    run_id = world.begin()

    def waits() -> bool:
        if world.played() > played and ("late" not in fault or world.told() - told):
            return True
        state = world.standalone.api.get(f"dags/score_leads/dagRuns/{run_id}")["state"]
        if state in ("success", "failed"):
            raise NeverHappened(f"{run_id} ended as {state} and never called {fault['path']}")
        return False

    world.until("the call that is kept waiting", waits, every=0.3)
    return run_id


def _half_way(world: World) -> tuple[str, psutil.Process]:
    """A rescore whose promotion has committed a chunk and not the last; its stopped process, no lock held.

    Raises:
        NeverHappened: Every promotion was too fast.
    """
    for _ in range(TRIES):
        world.calm()
        was = edit(world)
        world.until("rescore_all runs", partial(rescore_of, world.evidence, was + 1), every=0.1)
        run_id = rescore_of(world.evidence, was + 1)
        victim = world.task(run_id, "gate", "rescore_all")
        gate = task_process(victim)
        while gate is not None and gate.is_running() and not half_promoted(world.evidence):
            if rescored(world.evidence, was):
                break
        if gate is not None and half_promoted(world.evidence) and _stopped_without_a_lock(world, gate):
            return run_id, gate
        world.until("the rescore ends", partial(rescored, world.evidence, was))
    raise NeverHappened(f"in {TRIES} tries no promotion was caught half-way")


def _stopped_without_a_lock(world: World, process: psutil.Process) -> bool:
    """Stop it where nobody else has to wait for it; False, going on, when it was done before."""
    while half_promoted(world.evidence):
        try:
            process.suspend()
        except psutil.NoSuchProcess:
            return False
        if world.nobody_holds_the_ledger():
            if half_promoted(world.evidence):
                return True
            process.resume()
            return False
        process.resume()
    return False


def _rescue_ends(world: World, run_id: str) -> None:
    world.finished(run_id, "rescore_all")
    world.was_tried_again(run_id, "gate", "rescore_all")


def _state(world: World, key: str) -> str | None:
    with world.evidence.workspace.ledger.reading() as connection:
        return connection.scalar(select(run.c.state).where(run.c.run_key == key))
