"""Carry out what a person answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rescore.ledger.rules import holds
from rescore.pipeline.holds import decide, expire_holds
from rescore.workspace import Workspace
from rescore_airflow.operators.ask_about_hold import ANSWERS
from rescore_airflow.operators.base import RescoreOperator, now


class AnswerHoldOperator(RescoreOperator):
    """Releases or discards a hold; what nobody answered in time has expired.

    A hold that something newer has taken the place of needs no answer: the task is skipped and says what.

    Args:
        hold: The id of the hold.
        answer: What the task that asked returned: the chosen option, and who chose it.
    """

    template_fields = ("hold", "answer")

    def __init__(self, *, hold: str, answer: Mapping[str, Any], **kwargs) -> None:
        super().__init__(**kwargs)
        self.hold = hold
        self.answer = answer

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts of what the answer did."""
        who = self.answer["responded_by_user"]
        counts = expire_holds(ws, at=now(), progress=self.log.info)
        if who is not None:
            with ws.ledger.reading() as connection:
                hold = holds.find(connection, self.hold)
            if hold.state in (holds.SUPERSEDED, holds.EXPIRED):
                raise AirflowSkipException(f"nothing is left to answer, the hold is over: {hold.ending}")
            chosen = ANSWERS[self.answer["chosen_options"][0]]
            counts += decide(
                ws, self.hold, chosen, by=f"airflow: {who['name']}", at=now(), progress=self.log.info
            )
        self.say(self.hold, counts)
        return dict(counts)
