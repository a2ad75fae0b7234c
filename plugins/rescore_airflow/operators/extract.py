"""Land what every source gained since last time."""

from __future__ import annotations

import time

from airflow.sdk import Context

from rescore.connectors.base import Target
from rescore.delivery.destination import require_same_account
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from rescore_airflow.operators.base import Counts, RescoreOperator, now


class ExtractOperator(RescoreOperator):
    """Reads every stream of every source from its cursor on and marks the leads it touched as dirty.

    The cursor is the ledger's: neither a data interval nor the run's own time decides what is read, so
    a run that comes late, twice or as a backfill misses nothing. A source that cannot be read fails the task
    after the others were. Sources are the mappings in `include/mappings`, each with its Connection
    `rescore_<source>`. None reads for much longer than its `minutes`, which only a history takes: the next
    run goes on, and meanwhile the other sources have their turn.
    """

    def __init__(self, *, minutes: float = 10, **kwargs) -> None:
        super().__init__(**kwargs)
        self.minutes = minutes

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts by source and name, rows set aside by reason among them."""
        present, mappings = now(), ws.mappings()

        def read(source: str) -> Counts:
            crm = connect(source, ws)
            if isinstance(crm, Target):
                require_same_account(ws.ledger, crm)
            ends = time.monotonic() + 60 * self.minutes
            return extract(
                ws,
                crm,
                until=present,
                known_at=present,
                history=mappings[source].history,
                time_is_up=lambda: time.monotonic() > ends,
                progress=self.log.info,
            )

        return self.each(mappings, read)
