"""Makes a task in the CRM for a lead, once: what may be there already is looked for first."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from rescore.connectors.actions import NewTask, Tasks
from rescore.delivery.actions.crm import (
    Connect,
    MappingOf,
    Merged,
    RecordOf,
    nobody_merged,
    own_record,
    record_id,
    rehearsal,
)
from rescore.delivery.actions.outcomes import of_action
from rescore.errors import CrmUnavailable, RescoreError
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.outcome import Outcome
from rescore.rules.actions import LEAD_OWNER

SETTLING = 300.0
"""Seconds after which a call that nobody waits for any more has either made its task or never will."""

LOOKING = 60.0
"""Seconds after which no task is made any more: another worker may look, too, once the lease has ended."""


class CrmTaskSender:
    """See `Sender`; a merged lead's task is made for the lead that is left. `clock` counts seconds."""

    def __init__(
        self,
        connect: Connect,
        mapping_of: MappingOf,
        merged: Merged = nobody_merged,
        record_of: RecordOf = own_record,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._mapping_of = mapping_of
        self._merged, self._record_of = merged, record_of
        self._clock = clock

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        """Look first, whatever is known of earlier attempts: after a restored ledger nothing is."""
        began = self._clock()
        try:
            said: dict[str, Any] = json.loads(claim.body)
            if rehearsed := rehearsal(self._mapping_of(said["target"]), claim):
                return rehearsed
            tasks = self._connect(said["target"]).tasks
            lead_id = record_id(said, self._merged, self._record_of)
            there = self._already(tasks, lead_id, claim, said)
            owner = said["owner"]
            if there is None and owner == LEAD_OWNER:
                owner = tasks.owner_of(lead_id)
        except RescoreError as error:
            return of_action(error, effect=False)
        if there is None and self._clock() - began > LOOKING:
            return Outcome("transient", f"looking for tasks of the lead took more than {LOOKING:g} seconds")
        return there or _make(
            tasks,
            NewTask(
                lead_id=lead_id,
                title=said["title"],
                due=datetime.fromisoformat(said["due_at"]),
                owner=owner,
                delivery=claim.delivery_id,
                automation=_automation(claim),
            ),
        )

    def _already(
        self, tasks: Tasks, lead_id: str, claim: DeliveryClaim, said: dict[str, Any]
    ) -> Outcome | None:
        """What makes another task needless: this delivery's own, or an open one of its automation."""
        known = tasks.of_lead(lead_id)
        for task in known:
            if task.delivery == claim.delivery_id:
                return Outcome("ok", "found as an earlier attempt had made it", remote_id=task.task_id)
        if said["skip_if_open"]:
            for task in known:
                if task.open and task.automation == _automation(claim):
                    note = "left as it is: the lead has an open task of this automation"
                    return Outcome("ok", note, remote_id=task.task_id)
        return None


def _make(tasks: Tasks, task: NewTask) -> Outcome:
    try:
        return Outcome("ok", remote_id=tasks.create(task))
    except CrmUnavailable as error:
        if not error.sent:
            return of_action(error, effect=False)
        wait = max(SETTLING, error.retry_after or 0.0)
        return Outcome("unknown", f"{error}; looked up before the next try", retry_after=wait)
    except RescoreError as error:
        return of_action(error, effect=True)


def _automation(claim: DeliveryClaim) -> str:
    """An automation's id is its scorecard's own."""
    return f"{claim.scorecard}.{claim.automation}"
