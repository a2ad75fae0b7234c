"""Tasks at leads, as notes: what a salesperson sees at the lead, marked as new until it was read.

Tryton's sales module has no tasks. The last line of such a note names the delivery that left it, by which it
is found again, whether or not its making was confirmed.
"""

from __future__ import annotations

import re

from rescore.connectors.actions import KnownTask, NewTask
from rescore.connectors.tryton.changes import rows_of
from rescore.connectors.tryton.client import Client, Fault
from rescore.connectors.tryton.leads import LEAD
from rescore.connectors.tryton.refusals import explain, record_id, there
from rescore.connectors.tryton.writing import GONE
from rescore.errors import CrmUnavailable, RecordGone, RecordRefused

NOTE = "ir.note"
MARK = "[rescore "
LAST_LINE = re.compile(r"\[rescore (\S+) (\S+)\]\s*$")


class TrytonTasks:
    """See `rescore.connectors.actions.Tasks`. A note is open until somebody deletes it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def of_lead(self, lead_id: str) -> list[KnownTask]:
        """See `Tasks.of_lead`; one call where the lead is there."""
        self._need(lead_id)
        ours = [["resource", "=", f"{LEAD},{lead_id}"], ["message", "like", f"%{MARK}%"]]
        names = ["message"]
        try:
            rows = rows_of(self._client, NOTE, "search_read", ours, 0, None, [["id", "ASC"]], names)
        except Fault as fault:
            raise explain(self._client, fault, model=NOTE, names=names) from fault
        found = [(str(row["id"]), LAST_LINE.search(str(row.get("message")))) for row in rows]
        return [KnownTask(note, True, marks[2], marks[1]) for note, marks in found if marks]

    def owner_of(self, lead_id: str) -> str | None:
        """See `Tasks.owner_of`: the lead's employee."""
        number = self._need(lead_id)
        rows = rows_of(self._client, LEAD, "search_read", [["id", "=", number]], 0, None, None, ["employee"])
        return str(rows[0]["employee"]) if rows and rows[0].get("employee") else None

    def create(self, task: NewTask) -> str:
        """See `Tasks.create`; whoever it is for and until when stands in the text."""
        self._need(task.lead_id)
        said = [task.title, f"Until {task.due:%Y-%m-%d}"]
        said += [f"For employee {task.owner}"] if task.owner else []
        message = "\n".join([*said, f"{MARK}{task.automation} {task.delivery}]"])
        values = {"resource": f"{LEAD},{task.lead_id}", "message": message}
        try:
            made = self._client.call(f"model.{NOTE}.create", [values])
        except Fault as fault:
            if not there(self._client, [task.lead_id]):
                raise RecordGone(GONE) from fault
            if not fault.refused:
                raise
            raise RecordRefused(
                "Tryton does not take this note; leaving one by hand there says why"
            ) from fault
        if not (isinstance(made, list) and made and isinstance(made[0], int)):
            raise CrmUnavailable("Tryton made a note without saying its id")
        return str(made[0])

    def _need(self, lead_id: str) -> int:
        number = record_id(lead_id)
        if not number or not there(self._client, [lead_id]):
            raise RecordGone(GONE)
        return number
