"""Make staged results the state of record."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.sdk import Context

from rescore.pipeline.gate import promote_or_hold
from rescore.workspace import Workspace
from rescore_airflow.operators.base import Counts, RescoreOperator, total


class PromoteOrHoldOperator(RescoreOperator):
    """Judges each run's whole stage and promotes it chunk by chunk; a second try goes on where one stopped.

    Args:
        runs: What the deltas task returned: counts per run key.
    """

    template_fields = ("runs",)

    def __init__(self, *, runs: Mapping[str, Counts], **kwargs) -> None:
        super().__init__(**kwargs)
        self.runs = runs

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts per run key; their sum is the extra of the asset event."""
        counts = {}
        for key in self.runs:
            counts[key] = dict(promote_or_hold(ws, key, progress=self.log.info))
            self.say(key, counts[key])
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = total(counts.values())
        return counts
