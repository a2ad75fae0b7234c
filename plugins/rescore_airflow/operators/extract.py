"""Land what a CRM gained since last time."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from rescore_airflow.operators.base import RescoreOperator, now


class ExtractOperator(RescoreOperator):
    """Reads every stream of one source from its cursor on and marks the leads it touched as dirty.

    The cursor is the ledger's: neither a data interval nor the run's own time decides what is read, so
    a run that comes late, twice or as a backfill misses nothing.

    Args:
        source: The name of a mapping in `include/mappings`; the Connection is `rescore_<source>`.
    """

    template_fields = ("source",)

    def __init__(self, *, source: str, **kwargs) -> None:
        super().__init__(**kwargs)
        self.source = source

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts by name, rows set aside by reason among them."""
        present = now()
        counts = extract(
            ws, connect(self.source, ws), until=present, known_at=present, progress=self.log.info
        )
        self.say(self.source, counts)
        return dict(counts)
