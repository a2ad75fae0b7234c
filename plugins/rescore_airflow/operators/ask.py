"""What the operators have in common that start another DAG's run because the ledger says that it is due."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunLink, TriggerDagRunOperator
from airflow.sdk import BaseOperator, Context

from rescore_airflow.links import run_url


class AskedRunLink(TriggerDagRunLink):
    """The page of the run that was asked for.

    Its id is known here; looking it up, as the base does, is logged as an error when nothing was asked for.
    """

    def get_link(self, operator: BaseOperator, **_: object) -> str:
        """The run's page; empty when none was asked for."""
        if operator.trigger_run_id is None:
            return ""
        return run_url(operator.trigger_dag_id, operator.trigger_run_id)


class AskOperator(TriggerDagRunOperator):
    """Starts at most one run of another DAG, under an id of the ledger's: the same twice is one run."""

    operator_extra_links = (AskedRunLink(),)

    def __init__(self, **kwargs) -> None:
        super().__init__(logical_date=None, skip_when_already_exists=True, **kwargs)

    def ask(self, context: Context, run_id: str, conf: dict[str, Any]) -> None:
        """Start the run; the task ends with this call."""
        self.log.info("asking for %s", run_id)
        self.trigger_run_id = run_id
        self.conf = conf
        super().execute(context)
