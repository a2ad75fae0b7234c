"""Tasks of leads and contacts: each carries the id of the delivery that made it, and is found again by it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rescore.connectors.actions import KnownTask, NewTask
from rescore.connectors.salesforce.changes import every
from rescore.connectors.salesforce.client import Client, Refused
from rescore.connectors.salesforce.fields import SalesforceFields
from rescore.connectors.salesforce.mapping import Tasks
from rescore.connectors.salesforce.refusals import of_record, stop_when_field_missing, unreadable
from rescore.connectors.salesforce.values import at_path, is_id
from rescore.errors import CrmFieldMissing, CrmUnavailable, RecordGone, RecordRefused

OWNER, PERSON = "OwnerId", "005"
"""A lead may belong to a queue, which is no person: such an owner is nobody's."""

LONGEST_SUBJECT = 255


class SalesforceTasks:
    """See `rescore.connectors.actions.Tasks`; `zone` is the organisation's: a task is due on a day."""

    def __init__(
        self, client: Client, tasks: Tasks, fields: SalesforceFields, zone: ZoneInfo, name: str
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._fields = fields
        self._zone = zone
        self._name = name

    def of_lead(self, lead_id: str) -> list[KnownTask]:
        """See `Tasks.of_lead`; a query of Salesforce's reads the records, and sees a task of this moment."""
        asked = ["Id", "IsClosed", self._tasks.delivery, self._tasks.automation]
        who = self._fields.record_of(lead_id)
        soql = f"SELECT {', '.join(asked)} FROM Task WHERE WhoId = '{who}' AND IsDeleted = false"  # noqa: S608
        try:
            rows = list(every(self._client, soql, "Task"))
        except Refused as refusal:
            raise unreadable(refusal, "Task", asked, f"{self._name}.yaml") from refusal
        return [
            KnownTask(
                str(row.get("Id")),
                open=not row.get("IsClosed"),
                delivery=at_path(row, self._tasks.delivery) or None,
                automation=row.get(self._tasks.automation) or None,
            )
            for row in rows
        ]

    def owner_of(self, lead_id: str) -> str | None:
        """See `Tasks.owner_of`."""
        owner = self._fields.read(lead_id, [OWNER])[OWNER]
        return owner if owner and owner.startswith(PERSON) else None

    def create(self, task: NewTask) -> str:
        """See `Tasks.create`; its status is the one that new tasks have there."""
        values = {
            "Subject": task.title[:LONGEST_SUBJECT],
            "WhoId": self._fields.record_of(task.lead_id),
            "ActivityDate": task.due.astimezone(self._zone).date().isoformat(),
            self._tasks.delivery: task.delivery,
            self._tasks.automation: task.automation,
        }
        if task.owner:
            values[OWNER] = task.owner
        try:
            made = self._client.send("POST", "sobjects/Task/", values)
        except Refused as refusal:
            raise self._refused(refusal) from refusal
        task_id = made.get("id") if isinstance(made, dict) else None
        if not is_id(task_id):
            raise CrmUnavailable("Salesforce made a task without saying its id")
        return str(task_id)

    def _refused(self, refusal: Refused) -> Exception:
        ours = (self._tasks.delivery, self._tasks.automation)
        try:
            stop_when_field_missing(refusal.problems, ours)
        except CrmFieldMissing:
            return CrmFieldMissing(
                f"Salesforce lets our user write no task field `{ours[0]}` or `{ours[1]}`: create both as "
                "custom fields of activities and give the user edit access to them (docs/salesforce.md)"
            )
        kind, reason = of_record(refusal.problems)
        if kind == "gone":
            return RecordGone("Salesforce has no such lead or contact any more")
        return RecordRefused(reason.replace("this record", "the task"))
