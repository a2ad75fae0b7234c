"""Show changed scores in the CRM."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.delivery.crm import update_crm
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from rescore_airflow.operators.base import RescoreOperator, now, worker


class UpdateCrmOperator(RescoreOperator):
    """Works off what one target should show and has not confirmed yet, from whichever run it stems.

    A record the CRM refuses is parked with the reason and never stops the others.

    Args:
        target: The name of a mapping in `include/mappings`; the Connection is `rescore_<target>`.
    """

    template_fields = ("target",)

    def __init__(self, *, target: str, **kwargs) -> None:
        super().__init__(**kwargs)
        self.target = target

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts by outcome."""
        self.look_for_a_restore(ws)
        target = connect(self.target, ws)
        counts = update_crm(
            ws.ledger,
            target,
            mapping=target.mapping,
            now=now(),
            worker=worker(context),
            merged=ws.lake.canonical,
            progress=self.log.info,
        )
        self.say(self.target, counts)
        return dict(counts)
