"""Line 3: the triggerer dead, a rescore asked for twice, tasks killed with SIGKILL at the worst moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
import requests

from demo.checks import DoesNotHold, eventually, holds
from demo.evidence import Evidence
from demo.rule_edits import activation, change_points, rescored, settled
from demo.standalone import Standalone
from demo.talk import step
from demo.task_processes import half_promoted, kill, rescore_of
from demo.undisturbed import wrong_scores

TRIES = 4
"""A promotion takes a second or two; not every attempt at killing it half-way comes in time."""


def tell(world: Standalone, evidence: Evidence) -> None:
    """Faults, one after the other, each followed by the same question: are the scores right?

    Raises:
        DoesNotHold: The line is false.
    """
    file = world.places.rules_dir / "b2b_saas.yaml"
    _same_rescore_twice(world, evidence)
    _killed_before_scoring(world, evidence)
    for attempt in range(1, TRIES + 1):
        if _killed_between_chunks(world, evidence, lambda: change_points(file, by=3)):
            break
        if attempt == TRIES:
            raise DoesNotHold(f"in {TRIES} tries no promotion was caught half-way")
    _triggerer_killed(world, evidence, lambda: change_points(file, by=5))


def _same_rescore_twice(world: Standalone, evidence: Evidence) -> None:
    before = evidence.counts()
    with step("The same rescore asked for twice") as say:
        conf = {"scorecard": "b2b_saas"}
        first = world.api.trigger("rescore_all", conf, run_id="story_rescore")
        try:
            world.api.trigger("rescore_all", conf, run_id="story_rescore")
            refused = False
        except requests.HTTPError as problem:
            refused = problem.response.status_code == requests.codes.conflict
        second = world.api.trigger("rescore_all", conf)
        states = [world.api.wait("rescore_all", run_id, seconds=300, say=say) for run_id in (first, second)]
    did = evidence.since(before)
    holds("the same request is one run", refused)
    holds("two rescores of the same rules both end well", states == ["success", "success"], states)
    holds("what did not change is promoted at most once", did["scores changed"] == 0, did)


def _killed_before_scoring(world: Standalone, evidence: Evidence) -> None:
    with step("A task killed with SIGKILL between landing and scoring") as say:
        run_id = world.api.trigger("score_leads")
        victim = world.api.task_instance("score_leads", run_id, "score")["id"]
        eventually("the score task is killed", lambda: kill(victim), seconds=180, say=say)
        state = world.api.wait("score_leads", run_id, seconds=400, say=say)
        tries = world.api.task_instance("score_leads", run_id, "score")["try_number"]
    holds("the task died and was tried again", state == "success" and tries > 1, f"{tries} tries")
    _scores_are_right(evidence)


def _killed_between_chunks(world: Standalone, evidence: Evidence, edit: Callable[[], None]) -> bool:
    """Whether the gate could be killed while its promotion was half-way; if so, what came of it."""
    was = activation(evidence)
    with step("A task killed with SIGKILL between promotion chunks") as say:
        world.api.send("PATCH", "dags/score_leads", {"is_paused": True})  # it would rescore in its stead
        edit()
        eventually(
            "rescore_all runs",
            lambda: bool(rescore_of(evidence, was.activation_seq + 1)),
            say=say,
            every=0.1,
        )
        run_id = rescore_of(evidence, was.activation_seq + 1)
        victim = world.api.task_instance("rescore_all", run_id, "gate")["id"]
        deadline = time.monotonic() + 120
        while not (half := half_promoted(evidence)) and time.monotonic() < deadline:
            if activation(evidence).rescored_at is not None:
                break
        killed = bool(half) and kill(victim) and bool(half_promoted(evidence))
        eventually("the rescore ends", lambda: rescored(evidence, was.activation_seq), seconds=400, say=say)
        eventually("the CRM has confirmed", lambda: settled(evidence), say=say)
        world.api.send("PATCH", "dags/score_leads", {"is_paused": False})
    if not killed:
        return False
    tries = world.api.task_instance("rescore_all", run_id, "gate")["try_number"]
    holds("the gate died half-way and went on where it stopped", tries > 1, f"{half}; {tries} tries")
    _scores_are_right(evidence)
    return True


def _triggerer_killed(world: Standalone, evidence: Evidence, edit: Callable[[], None]) -> None:
    was = activation(evidence)
    with step("The triggerer killed, the rules edited") as say:
        dead = world.airflow["triggerer"].members()
        for process in dead:
            process.kill()
        psutil.wait_procs(dead, timeout=10)
        edit()
        run_id = world.api.trigger("score_leads")
        state = world.api.wait("score_leads", run_id, seconds=400, say=say)
    holds("the triggerer is dead", bool(dead), f"{len(dead)} processes")
    holds("the edit is picked up by score_leads", rescored(evidence, was.activation_seq), state)
    _scores_are_right(evidence)
    world.start_part("triggerer")


def _scores_are_right(evidence: Evidence) -> None:
    wrong = wrong_scores(evidence.workspace)
    holds(
        "every score equals an undisturbed computation from the facts", not wrong, wrong[:5] or "all of them"
    )
