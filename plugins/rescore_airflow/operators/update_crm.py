"""Show changed scores in the CRMs."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.delivery.crm import update_crm
from rescore.mapping import earlier_targets
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from rescore_airflow.operators.base import Counts, RescoreOperator, now, worker


class UpdateCrmOperator(RescoreOperator):
    """Works off what every target should show and has not confirmed yet, from whichever run it stems.

    A record that a CRM refuses is parked with the reason and never stops the others; nor does a target that
    cannot be written. Targets are the mappings that name scorecards.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts by target and outcome."""
        self.look_for_a_restore(ws)
        targets = ws.targets()

        def write(name: str) -> Counts:
            return update_crm(
                ws.ledger,
                connect(name, ws),
                mapping=targets[name],
                now=now(),
                worker=worker(context),
                merged=ws.lake.canonical,
                earlier=earlier_targets(targets.values(), targets[name]),
                progress=self.log.info,
            )

        return self.each(targets, write)
