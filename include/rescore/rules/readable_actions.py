"""What automations do, when and for whom, in the words of the people who read about it."""

from collections.abc import Iterable

from rescore.rules.actions import (
    LEAD_OWNER,
    Action,
    CrmFields,
    CrmTask,
    Deliver,
    Email,
    OncePer,
    SetField,
    SlackMessage,
    Webhook,
)
from rescore.rules.card import Automation
from rescore.rules.deliver_file import WEEK


def actions(does: Iterable[Action]) -> str:
    """All of them, `webhook sales_alerts, slack sales`."""
    return ", ".join(map(action, does))


def action(does: Action) -> str:
    """What is done where, without what messages say."""
    match does:
        case Webhook(connection) | SlackMessage(connection):
            return f"{does.kind} {connection}"
        case Email(connection, to):
            return f"email {connection} to {', '.join(to)}"
        case CrmTask(target, _, due, owner, skip_if_open):
            whose = "the lead's owner" if owner == LEAD_OWNER else owner
            again = "" if skip_if_open else ", also beside an open one"
            return f"crm_task {target} for {whose} in {due}d{again}"
        case CrmFields(target, fields):
            return f"crm_fields {target} {', '.join(map(_field, fields))}"


def once_per(once: OncePer | None) -> str:
    """`account within 30d`."""
    if once is None:
        return "lead"
    but = f" but not for {once.unless_in}" if once.unless_in else ""
    return f"{once.key} within {once.within}d{but}"


def deliver(when: Deliver | None) -> str:
    """`mon-fri 08:00-18:00 Europe/Berlin, expires after 48h, while still true`."""
    if when is None:
        return "at any time"
    parts = []
    if when.hours or len(when.days) < len(WEEK):
        begin, end = when.hours or (0, 24 * 60)
        days = " ".join(WEEK[day] for day in when.days)
        parts.append(f"{days} {_time(begin)}-{_time(end)} {when.timezone}")
    if when.expires is not None:
        parts.append(f"expires after {when.expires}h")
    if when.still_true:
        parts.append("while still true")
    return ", ".join(parts) or "at any time"


def texts(automation: Automation) -> list[tuple[str, ...]]:
    """What its messages say, action by action."""
    return [
        tuple(getattr(does, name, "") for name in ("title", "subject", "text")) for does in automation.actions
    ]


def _field(field: SetField) -> str:
    guards = [f"from {', '.join(field.only_from)}"] if field.only_from is not None else []
    guards += ["if empty"] if field.if_empty else []
    return f"{field.property}={field.value}" + (f" ({' or '.join(guards)})" if guards else "")


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
