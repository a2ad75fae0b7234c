"""Stage what a run changed."""

from __future__ import annotations

from rescore.pipeline.deltas import stage_deltas
from rescore.workspace import Workspace
from rescore_airflow.operators.base import Counts, RunsOperator


class StageDeltasOperator(RunsOperator):
    """Compares each run's results with the state of record."""

    def step(self, ws: Workspace, run_key: str) -> Counts:
        """Counts of what was staged."""
        return stage_deltas(ws, run_key)
