"""Deliver what crossings set off."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.delivery.automations import run_automations
from rescore.workspace import Workspace
from rescore_airflow.hooks.senders import senders
from rescore_airflow.operators.base import RescoreOperator, now, worker


class RunAutomationsOperator(RescoreOperator):
    """Sends every delivery that is due, from whichever run it stems, each under its own fixed id.

    What fails is tried again by later runs until it is delivered or parked with the reason.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts by outcome."""
        self.look_for_a_restore(ws)
        counts = run_automations(
            ws.ledger, senders(ws), now=now(), worker=worker(context), progress=self.log.info
        )
        self.say("deliveries", counts)
        return dict(counts)
