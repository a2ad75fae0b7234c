"""Erase a person who was asked for by a request's id."""

from __future__ import annotations

import re

from airflow.sdk import Context

from rescore.errors import InputUnreadable
from rescore.pipeline.erase import resume
from rescore.workspace import Workspace
from rescore_airflow.operators.base import RescoreOperator, now

REQUEST = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class EraseLeadOperator(RescoreOperator):
    """Carries out the erasure that the run's form names by its id, or all that wait.

    Who is erased is known to the ledger alone: what a form holds stays in Airflow's own database.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """How many rows and files were removed, by table."""
        request = context["params"]["request"] or None
        if request is not None and not REQUEST.fullmatch(request):
            raise InputUnreadable(
                "that is no request's id; register one with `rescore erase LEAD --request`. If it was a "
                "person's id or address, delete this run: Airflow has kept it"
            )
        counts = resume(ws, at=now(), erasure_id=request, progress=self.log.info)
        self.say("erasures", counts)
        return dict(counts)
