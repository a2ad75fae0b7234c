"""The processes that run Airflow's tasks: found by what they call themselves, killed in the act."""

from __future__ import annotations

import psutil
from sqlalchemy import select

from demo.evidence import Evidence
from rescore.ledger.tables import run as runs


def task_process(task_instance_id: str) -> psutil.Process | None:
    """The process that runs this try of a task, if there is one now."""
    for process in psutil.process_iter():
        if _words(process) == ["airflow", "worker", "--", task_instance_id]:
            return process
    return None


def kill(task_instance_id: str) -> bool:
    """SIGKILL the process that runs this task instance, if there is one now."""
    process = task_process(task_instance_id)
    if process is not None:
        process.kill()
    return process is not None


def half_promoted(evidence: Evidence) -> str:
    """A promotion that has committed a chunk and not finished, in words; empty when there is none."""
    with evidence.workspace.ledger.reading() as connection:
        row = connection.execute(
            select(runs.c.run_key, runs.c.promoted_to).where(
                runs.c.state == "promoting", runs.c.promoted_to.is_not(None)
            )
        ).first()
    return f"promoted up to {row.promoted_to}" if row else ""


def rescore_of(evidence: Evidence, activation_seq: int) -> str:
    """The run of rescore_all that applies an activation to b2b_saas; empty while there is none."""
    with evidence.workspace.ledger.reading() as connection:
        key = connection.scalar(
            select(runs.c.run_key).where(
                runs.c.scorecard == "b2b_saas",
                runs.c.activation_seq == activation_seq,
                runs.c.run_key.startswith("rescore_all/"),
            )
        )
    return key.split("/")[1] if key else ""


def _words(process: psutil.Process) -> list[str]:
    try:
        return " ".join(process.cmdline()).split()
    except psutil.Error:
        return []
