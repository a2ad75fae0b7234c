"""From a checked action, or a checked `deliver`, to the frozen one."""

from zoneinfo import ZoneInfo

from rescore.rules.action_file import ActionFile
from rescore.rules.actions import Action, CrmFields, CrmTask, Deliver, Email, SetField, SlackMessage, Webhook
from rescore.rules.deliver_file import WEEK, DeliverFile


def build_action(file: ActionFile) -> Action:
    """The one action that the file says."""
    if file.webhook is not None:
        return Webhook(file.webhook.connection)
    if file.slack is not None:
        return SlackMessage(file.slack.connection, file.slack.text)
    if (task := file.crm_task) is not None:
        return CrmTask(task.target, task.title, task.due, task.owner, task.skip_if_open)
    if (email := file.email) is not None:
        return Email(email.connection, tuple(email.to), email.subject, email.text)
    assert file.crm_fields is not None  # noqa: S101 - the door lets no action in that says nothing
    fields = (
        SetField(name, said.value, None if said.only_from is None else tuple(said.only_from), said.if_empty)
        for name, said in file.crm_fields.set.items()
    )
    return CrmFields(file.crm_fields.target, tuple(fields))


def build_deliver(file: DeliverFile, zone: ZoneInfo) -> Deliver:
    """With the days as numbers, and the scorecard's zone where none is said."""
    return Deliver(
        timezone=file.timezone or zone.key,
        hours=file.hours,
        days=tuple(sorted(WEEK.index(day) for day in file.days or WEEK)),
        expires=file.expires,
        still_true=file.still_true,
    )
