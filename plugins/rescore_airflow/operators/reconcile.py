"""Hold the CRMs against what they confirmed, and take up what was left half done."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.pipeline.erase import resume
from rescore.pipeline.reconcile import read_back, rescue
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from rescore_airflow.operators.base import Counts, RescoreOperator, now


class RescueOperator(RescoreOperator):
    """Frees expired leases and ends expired overrides; asks no CRM."""

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts of what was freed and ended."""
        self.look_for_a_restore(ws)
        counts = rescue(ws.ledger, now=now())
        self.say("rescued", counts)
        return dict(counts)


class FinishErasuresOperator(RescoreOperator):
    """Goes on with erasures that were begun and interrupted; one that cannot be carried out turns it red."""

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """How many rows and files were removed, by table."""
        counts = resume(ws, at=now(), asked=False, progress=self.log.info)
        self.say("erasures", counts)
        return dict(counts)


class ReadBackOperator(RescoreOperator):
    """Reads back what every target confirmed; what it does not show any more is owed again.

    It writes nothing: `update_crm` of the next run does.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, dict[str, int]]:
        """Counts by target and what was found."""
        targets = ws.targets()

        def read(name: str) -> Counts:
            return read_back(
                ws.ledger,
                connect(name, ws),
                mapping=targets[name],
                now=now(),
                everybody=context["params"]["everybody"],
                progress=self.log.info,
            )

        return self.each(targets, read)
