"""Look whether stored scores hold."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.errors import TerminalError
from rescore.pipeline.verify import verify_scores
from rescore.workspace import Workspace
from rescore_airflow.operators.base import RescoreOperator, now


class VerifyScoresOperator(RescoreOperator):
    """Computes a sample of stored scores again, from what each was made of; fails when one differs.

    Which leads differ is in a file that the sentence names, not in the log.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts of scores checked, and of those that could not be."""
        at = now()
        seed = at.date().toordinal()  # another sample every day
        found = verify_scores(ws, sample=context["params"]["sample"], at=at, seed=seed)
        self.say("stored scores", found.counts())
        if not found.holds:
            raise TerminalError(
                f"{found.different.total():,} stored scores are not what their facts and rules give; "
                f"they are listed in {found.file}"
            )
        return found.counts()
