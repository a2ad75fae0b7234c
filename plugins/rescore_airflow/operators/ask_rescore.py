"""Start the rescore that a rules change calls for."""

from __future__ import annotations

from airflow.sdk import Context, DagRunState
from airflow.sdk.exceptions import AirflowSkipException

from rescore.pipeline.watch import ask_rescore
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.operators.ask import AskOperator
from rescore_airflow.operators.base import now
from rescore_airflow.workspace import open_workspace

UNDER_WAY = [DagRunState.QUEUED, DagRunState.RUNNING]


class AskRescoreOperator(AskOperator):
    """Triggers one DAG run for the first rescore that is due; skipped when none is.

    The run's id is scorecard, activation and attempt: a failed run is followed by the next attempt, where a
    fixed id would make the failure permanent.
    """

    def execute(self, context: Context) -> None:
        """Note the request in the ledger, then start the run."""
        with in_a_sentence(self.log):
            asked = ask_rescore(open_workspace(), at=now())
        if asked is None:
            raise AirflowSkipException("no rescore is due")
        before = asked.earlier
        if before and context["ti"].get_dr_count(self.trigger_dag_id, run_ids=before, states=UNDER_WAY):
            raise AirflowSkipException(
                f"an earlier attempt at {asked.scorecard} is still queued or running in {self.trigger_dag_id}"
            )
        self.ask(context, asked.name, {"scorecard": asked.scorecard})
