"""Tasks of contacts: each carries the id of the delivery that made it, and is found again by reading.

HubSpot has no idempotency key, and its search learns of a new task only moments later. What is exact is
reading by id: the tasks tied to a contact (the tie is made in the same call as the task), then these
tasks themselves. So a task whose making was never confirmed is looked for there. What remains open is a
call that HubSpot is still working on while we look; nobody waits for its answer any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rescore.connectors.actions import KnownTask, NewTask
from rescore.connectors.hubspot.client import Client, JsonObject, Refused
from rescore.connectors.hubspot.fields import HubSpotFields
from rescore.connectors.hubspot.mapping import Tasks
from rescore.connectors.hubspot.refusals import as_error, objects, stop_when_property_missing
from rescore.connectors.hubspot.values import iso
from rescore.connectors.hubspot.windows import next_token, rows_of
from rescore.errors import CrmUnavailable, CursorStuck

SUBJECT, STATUS, TYPE, DUE = "hs_task_subject", "hs_task_status", "hs_task_type", "hs_timestamp"
NOT_OPEN = {"COMPLETED", "DEFERRED"}


class HubSpotTasks:
    """See `rescore.connectors.actions.Tasks`."""

    def __init__(self, client: Client, tasks: Tasks, fields: HubSpotFields) -> None:
        self._client = client
        self._tasks = tasks
        self._fields = fields

    def of_lead(self, lead_id: str) -> list[KnownTask]:
        """See `Tasks.of_lead`; at least one call, and one more for each hundred tasks."""
        names = [STATUS, self._tasks.delivery, self._tasks.automation]
        ids, batch = list(self._ids(lead_id)), self._client.limits.batch
        found: list[KnownTask] = []
        for start in range(0, len(ids), batch):
            inputs = [{"id": task_id} for task_id in ids[start : start + batch]]
            answer = self._post(self._tasks.read, {"inputs": inputs, "properties": names})
            found += [self._known(row) for row in rows_of(answer, "results", what="reading tasks")]
        return found

    def owner_of(self, lead_id: str) -> str | None:
        """See `Tasks.owner_of`."""
        return self._fields.read(lead_id, [self._tasks.owner])[self._tasks.owner]

    def create(self, task: NewTask) -> str:
        """See `Tasks.create`."""
        properties = {
            SUBJECT: task.title,
            STATUS: "NOT_STARTED",
            TYPE: "TODO",
            DUE: iso(task.due),
            self._tasks.delivery: task.delivery,
            self._tasks.automation: task.automation,
        }
        if task.owner:
            properties[self._tasks.owner] = task.owner
        tie = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self._tasks.association}
        associations = [{"to": {"id": task.lead_id}, "types": [tie]}]
        try:
            answer = self._client.make(
                self._tasks.create, {"properties": properties, "associations": associations}
            )
        except Refused as refusal:
            stop_when_property_missing([refusal.body], "task")
            raise as_error(refusal, "the task", "tasks") from refusal
        task_id = answer.get("id")
        if not isinstance(task_id, str | int) or isinstance(task_id, bool):
            raise CrmUnavailable("HubSpot made a task without saying its id")
        return str(task_id)

    def _ids(self, lead_id: str) -> Iterator[str]:
        """The ids of the tasks tied to a contact."""
        wanted: JsonObject = {"id": lead_id}
        seen: set[str] = set()
        while True:
            answer = self._post(self._tasks.of_contacts, {"inputs": [wanted]})
            after = None
            for row in rows_of(answer, "results", what="listing the tasks of a contact"):
                for to in objects(row.get("to")):
                    yield str(to.get("toObjectId") or to.get("id"))
                after = next_token(row)
            if not after:
                return
            if after in seen:
                raise CursorStuck("the list of a contact's tasks leads back to a page already read")
            seen.add(after)
            wanted = {"id": lead_id, "after": after}

    def _post(self, path: str, body: JsonObject) -> JsonObject:
        try:
            return self._client.post(path, body)
        except Refused as refusal:
            raise CrmUnavailable(f"{refusal}; check `tasks` in the mapping", sent=False) from refusal

    def _known(self, row: JsonObject) -> KnownTask:
        properties: dict[str, Any] = row.get("properties") or {}
        return KnownTask(
            str(row.get("id")),
            open=str(properties.get(STATUS) or "").upper() not in NOT_OPEN,
            delivery=properties.get(self._tasks.delivery) or None,
            automation=properties.get(self._tasks.automation) or None,
        )
