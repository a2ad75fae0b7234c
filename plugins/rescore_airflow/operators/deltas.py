"""Stage what a run changed."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.sdk import Context

from rescore.pipeline.deltas import stage_deltas
from rescore.workspace import Workspace
from rescore_airflow.operators.base import Counts, RescoreOperator


class StageDeltasOperator(RescoreOperator):
    """Compares each run's results with the state of record.

    Args:
        runs: What the score task returned: counts per run key.
    """

    template_fields = ("runs",)

    def __init__(self, *, runs: Mapping[str, Counts], **kwargs) -> None:
        super().__init__(**kwargs)
        self.runs = runs

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts per run key."""
        counts = {}
        for key in self.runs:
            counts[key] = dict(stage_deltas(ws, key))
            self.say(key, counts[key])
        return counts
