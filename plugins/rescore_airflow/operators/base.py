"""What every operator does around its one verb: open the stores, say what it counted, fail in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseOperator, Context

from rescore.errors import InputUnreadable, RescoreError, RetryableError, Superseded
from rescore.ledger.outbox.restored import restored
from rescore.pipeline.restore import notice_restore
from rescore.workspace import Workspace
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.workspace import open_workspace

Counts = Mapping[str, int]


class RescoreOperator(BaseOperator):
    """An operator whose whole work is one call into the core.

    The return value goes to XCom and is read by people there: run keys, ids and counts, never lead data.
    """

    ui_color = "#e8f0fe"

    def execute(self, context: Context) -> Any:
        """Do the work; a failure leaves one sentence, and its family decides between retry and fail."""
        with in_a_sentence(self.log):
            refuse_unknown_conf(context)
            return self.work(open_workspace(), context)

    def work(self, ws: Workspace, context: Context) -> Any:
        """The one call; overridden by every operator."""
        raise NotImplementedError

    def look_for_a_restore(self, ws: Workspace) -> None:
        """Before anything is sent: nothing is, once a store was restored or lost, until a person says so."""
        notice_restore(ws, at=now())
        with ws.ledger.reading() as connection:
            held = restored(connection)
        if held is not None:
            self.log.warning("nothing is sent (%s); `rescore restored` says what to do", held.why)

    def each(self, names: Iterable[str], work: Callable[[str], Counts]) -> dict[str, dict[str, int]]:
        """Do one thing for each system by name; one that fails does so after the others had their turn.

        Of several failures the last to be raised is one that a retry may mend, if there is any; all are told.
        """
        counts: dict[str, dict[str, int]] = {}
        failures: list[RescoreError] = []
        for name in names:
            try:
                counts[name] = dict(work(name))
            except RescoreError as error:
                failures.append(error)
                continue
            self.say(name, counts[name])
        if not failures or (counts and all(isinstance(error, Superseded) for error in failures)):
            return counts
        *told, raised = sorted(failures, key=_would_a_retry_help)
        for error in told:
            self.log.error("%s", error)
        raise raised

    def say(self, what: str, counts: Counts) -> None:
        """One line of counts in the task's log."""
        self.log.info("%s: %s", what, in_words(counts))


def _would_a_retry_help(error: RescoreError) -> int:
    """Least where somebody newer took over, most where the same call may succeed later."""
    return 0 if isinstance(error, Superseded) else 2 if isinstance(error, RetryableError) else 1


NOT_FROM_A_PERSON = {"openlineage"}
"""What Airflow's own operators add to the conf of a run they trigger."""


def refuse_unknown_conf(context: Context) -> None:
    """Refuse a run that was given what its DAG does not know: a misspelt name would widen the run.

    Raises:
        InputUnreadable: Names the keys, and those there are.
    """
    dag, conf = context["dag"], context["dag_run"].conf or {}
    unknown = sorted(set(conf) - set(dag.params) - NOT_FROM_A_PERSON)
    if unknown:
        known = ", ".join(f"`{name}`" for name in sorted(dag.params)) or "nothing"
        given = ", ".join(f"`{str(name)[:60]}`" for name in unknown)
        raise InputUnreadable(f"{dag.dag_id} does not know {given}; start it again with {known}")


class RunsOperator(RescoreOperator):
    """An operator that does its one step for each run of an earlier task.

    Args:
        runs: What that task returned: counts per run key.
    """

    template_fields = ("runs",)

    def __init__(self, *, runs: Mapping[str, Counts], **kwargs) -> None:
        super().__init__(**kwargs)
        self.runs = runs

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts per run key."""
        counts = {}
        for key in self.runs:
            counts[key] = dict(self.step(ws, key))
            self.say(key, counts[key])
        return counts

    def step(self, ws: Workspace, run_key: str) -> Counts:
        """The one call for one run; overridden by every operator."""
        raise NotImplementedError


def now() -> datetime:
    """The present, taken once per task: the core never looks at a clock."""
    return datetime.now(UTC)


def in_words(counts: Counts) -> str:
    """`changed 12, scored 5,000`; zeros stay out."""
    return (
        ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()) if count) or "nothing to do"
    )


def total(counts: Iterable[Counts]) -> dict[str, int]:
    """The counts of several runs as one."""
    result: Counter[str] = Counter()
    for each in counts:
        result.update(each)
    return dict(result)


def worker(context: Context) -> str:
    """Who holds a lease: one try of one task."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.try_number}"
