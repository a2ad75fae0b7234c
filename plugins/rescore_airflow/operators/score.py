"""Score the leads that may have changed, or everybody."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.pipeline.score import score, start_runs
from rescore.workspace import Workspace
from rescore_airflow.operators.base import RescoreOperator, now


class ScoreLeadsOperator(RescoreOperator):
    """Opens one run per scorecard in force and scores it as of the run's own time.

    That time is `run_after`, which every kind of run has; scheduled, manual, REST and backfill runs
    differ in nothing else. The run's params `scorecard` (one name) and `everybody` (flag) narrow and
    widen it where the DAG offers them.

    Args:
        everybody: Score all leads, whatever the params say.
    """

    def __init__(self, *, everybody: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.everybody = everybody

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts per run key."""
        params = context["params"]
        keys = start_runs(
            ws,
            # run ids are unique within a DAG only
            run_id=f"{context['dag'].dag_id}/{context['run_id']}",
            as_of=context["dag_run"].run_after,
            at=now(),
            everybody=self.everybody or bool(params.get("everybody")),
            scorecards=[params["scorecard"]] if params.get("scorecard") else (),
            progress=self.log.info,
        )
        counts = {key: dict(score(ws, key, progress=self.log.info)) for key in keys}
        for key in keys:
            self.say(key, counts[key])
        if not keys:
            self.log.warning("no scorecard to score: none is in force, or all that were asked for are paused")
        return counts
