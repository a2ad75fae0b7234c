"""Start the rescore that a rules change calls for."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Context, DagRunState
from airflow.sdk.exceptions import AirflowSkipException

from rescore.errors import RescoreError
from rescore.pipeline.watch import ask_rescore
from rescore_airflow.operators.base import now
from rescore_airflow.workspace import open_workspace

UNDER_WAY = [DagRunState.QUEUED, DagRunState.RUNNING]


class AskRescoreOperator(TriggerDagRunOperator):
    """Triggers one DAG run for the first rescore that is due; skipped when none is.

    The run's id is scorecard, activation and attempt: the same request twice is one run, and a failed run
    is followed by the next attempt, where a fixed id would make the failure permanent.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(logical_date=None, skip_when_already_exists=True, **kwargs)

    def execute(self, context: Context) -> None:
        """Note the request in the ledger, then start the run."""
        try:
            asked = ask_rescore(open_workspace(), at=now())
        except RescoreError as error:
            self.log.error("%s", error)
            raise error.with_traceback(None) from None
        if asked is None:
            raise AirflowSkipException("no rescore is due")
        before = asked.earlier
        if before and context["ti"].get_dr_count(self.trigger_dag_id, run_ids=before, states=UNDER_WAY):
            raise AirflowSkipException(
                f"an earlier attempt at {asked.scorecard} is still queued or running in {self.trigger_dag_id}"
            )
        self.log.info("asking for %s", asked.name)
        self.trigger_run_id = asked.name
        self.conf = {"scorecard": asked.scorecard}
        super().execute(context)
