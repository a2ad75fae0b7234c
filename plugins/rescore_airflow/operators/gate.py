"""Make staged results the state of record."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.pipeline.gate import promote_or_hold
from rescore.workspace import Workspace
from rescore_airflow.operators.base import Counts, RunsOperator, now, total


class PromoteOrHoldOperator(RunsOperator):
    """Judges each run's whole stage and promotes it chunk by chunk; a second try goes on from there."""

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts per run key; their sum is the extra of the asset event."""
        counts = super().work(ws, context)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = total(counts.values())
        return counts

    def step(self, ws: Workspace, run_key: str) -> Counts:
        """Counts of what was promoted."""
        return promote_or_hold(ws, run_key, at=now(), progress=self.log.info)
