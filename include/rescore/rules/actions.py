"""What an automation may do, when that may be delivered, and for whom only once: frozen and free of YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

ActionKind = Literal["webhook", "crm_task", "crm_fields", "slack", "email"]

LEAD_OWNER: Final = "lead_owner"
"""Stands for whoever owns the lead in the CRM."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Post the crossing to the address behind an Airflow Connection that opted in."""

    kind: ClassVar[ActionKind] = "webhook"

    connection: str


@dataclass(frozen=True, slots=True)
class CrmTask:
    """A task in the CRM for the lead; `title` is a template.

    It is due `due` days after the crossing, for `owner`: an id of the CRM's, or `LEAD_OWNER`. With
    `skip_if_open` none is made while the lead has an open one of this automation.
    """

    kind: ClassVar[ActionKind] = "crm_task"

    target: str
    title: str
    due: int
    owner: str = LEAD_OWNER
    skip_if_open: bool = True


@dataclass(frozen=True, slots=True)
class SetField:
    """One property and the value it gets: where it is now one of `only_from` or, with `if_empty`, empty.

    Without a guard (`only_from` None and no `if_empty`) it is written whatever is there. A text `value` is
    a template; the others are written as the CRM takes them.
    """

    property: str
    value: str
    only_from: tuple[str, ...] | None = None
    if_empty: bool = False


@dataclass(frozen=True, slots=True)
class CrmFields:
    """Properties of the lead in the CRM, each with its guard."""

    kind: ClassVar[ActionKind] = "crm_fields"

    target: str
    fields: tuple[SetField, ...]


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message through the Slack Connection; `text` is a template."""

    kind: ClassVar[ActionKind] = "slack"

    connection: str
    text: str


@dataclass(frozen=True, slots=True)
class Email:
    """A plain-text e-mail to colleagues, at most once; `subject` and `text` are templates."""

    kind: ClassVar[ActionKind] = "email"

    connection: str
    to: tuple[str, ...]
    subject: str
    text: str


Action = Webhook | CrmTask | CrmFields | SlackMessage | Email


def receiver(action: Action) -> str:
    """Where an action goes: an Airflow Connection, or for what is done in a CRM the mapping's name."""
    match action:
        case CrmTask() | CrmFields():
            return action.target
        case _:
            return action.connection


@dataclass(frozen=True, slots=True)
class Deliver:
    """When an automation's deliveries may go out.

    Attributes:
        timezone: The IANA zone of `hours` and `days`.
        hours: First and last minute of the day, `(480, 1080)` for 08:00-18:00; None is any time.
        days: Weekdays, 0 is Monday.
        expires: Hours after the crossing was committed from which on it is not sent any more; None is never.
        still_true: Whether the condition is asked again before sending.
    """

    timezone: str
    hours: tuple[int, int] | None = None
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    expires: int | None = None
    still_true: bool = False


OnceKey = Literal["account", "email_domain"]


@dataclass(frozen=True, slots=True)
class OncePer:
    """Of several leads with the same key only the first fires within `within` days.

    The key is the lead's attribute `account`, or the domain of its attribute `email`; a lead without one, or
    whose domain is in the list `unless_in`, stands for itself.
    """

    key: OnceKey
    within: int
    unless_in: str | None = None
