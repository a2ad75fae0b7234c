"""Start the rescore that a rules change calls for."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunLink, TriggerDagRunOperator
from airflow.sdk import BaseOperator, Context, DagRunState
from airflow.sdk.exceptions import AirflowSkipException
from airflow.utils.helpers import build_airflow_dagrun_url

from rescore.pipeline.watch import ask_rescore
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.operators.base import now
from rescore_airflow.workspace import open_workspace

UNDER_WAY = [DagRunState.QUEUED, DagRunState.RUNNING]


class AskedRescoreLink(TriggerDagRunLink):
    """The page of the run that was asked for.

    Its id is known here; looking it up, as the base does, is logged as an error when nothing was asked for.
    """

    def get_link(self, operator: BaseOperator, **_: object) -> str:
        """The run's page; empty when none was asked for."""
        if operator.trigger_run_id is None:
            return ""
        return build_airflow_dagrun_url(dag_id=operator.trigger_dag_id, run_id=operator.trigger_run_id)


class AskRescoreOperator(TriggerDagRunOperator):
    """Triggers one DAG run for the first rescore that is due; skipped when none is.

    The run's id is scorecard, activation and attempt: the same request twice is one run, and a failed run
    is followed by the next attempt, where a fixed id would make the failure permanent.
    """

    operator_extra_links = (AskedRescoreLink(),)

    def __init__(self, **kwargs) -> None:
        super().__init__(logical_date=None, skip_when_already_exists=True, **kwargs)

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
        self.log.info("asking for %s", asked.name)
        self.trigger_run_id = asked.name
        self.conf = {"scorecard": asked.scorecard}
        super().execute(context)
