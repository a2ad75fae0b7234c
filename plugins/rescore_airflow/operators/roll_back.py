"""Put an older version of the rules in force again."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context

from rescore.errors import InputUnreadable
from rescore.pipeline.rules_change import rollback
from rescore.workspace import Workspace
from rescore_airflow.links import plan_url
from rescore_airflow.operators.base import RescoreOperator, now


class RollBackOperator(RescoreOperator):
    """Plans an older version like any other change, and puts it in force or holds it."""

    def work(self, ws: Workspace, context: Context) -> dict[str, Any]:
        """What became of it, and where the report on its plan is to be seen."""
        params = context["params"]
        if not params["scorecard"]:
            raise InputUnreadable("say which scorecard to roll back; the form has a field for its name")
        news = rollback(
            ws,
            params["scorecard"],
            to=params["version"],
            at=now(),
            by=f"airflow: {context['dag'].dag_id}",
            progress=self.log.info,
        )
        self.log.info("version %s of %s: %s. %s", news.version, news.scorecard, news.what, news.told)
        for reason in news.reasons:
            self.log.warning("held: %s", reason)
        told = {"scorecard": news.scorecard, "version": news.version, "what": news.what}
        return told | ({"report": plan_url(news.plan_hash)} if news.plan_hash else {})
