"""Keep both stores small."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.pipeline.maintain import maintain
from rescore.workspace import Workspace
from rescore_airflow.operators.base import RescoreOperator, now


class MaintainOperator(RescoreOperator):
    """Forgets what the policy's `retention:` no longer keeps, and drops the lake's unused files."""

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts of what went, by name."""
        counts = maintain(ws, at=now(), progress=self.log.info)
        self.say("maintained", counts)
        return dict(counts)
