"""Everything that the product does over HTTP, and which of its calls a fault hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.faults.network_deliveries import FieldsTrial, SlackTrial, TaskTrial, WebhookTrial
from tests.faults.network_desk import Desk, Trial
from tests.faults.network_gateway import HOOK, SLACK, Call
from tests.faults.network_reading import ReadTrial
from tests.faults.network_scores import ReadBackTrial, ScoresTrial

CONTACTS, TASKS = "/crm/objects/2026-09/contacts", "/crm/objects/2026-09/tasks"


@dataclass(frozen=True)
class Operation:
    """One thing the product does, the calls of it that a fault hits, and whose outcomes it has.

    A `sibling` is done by the same code as another one.
    """

    name: str
    family: str
    begin: Callable[[Desk], Trial]
    hits: Callable[[Call], bool]
    sibling: bool = False


def at(method: str, path: str) -> Callable[[Call], bool]:
    """Calls to this path, whatever the query."""
    return lambda call: call.method == method and call.path.partition("?")[0] == path


STREAMS: Mapping[str, Callable[[Call], bool]] = {
    "contacts": at("POST", f"{CONTACTS}/search"),
    "deleted contacts": at("GET", CONTACTS),
    "page_views": at("GET", "/events/event-occurrences/2026-09"),
    "email_events": at("GET", "/email/public/v1/events"),
    "form_submissions": lambda call: call.path.startswith("/form-integrations/"),
    **{
        name: at("POST", f"/crm/objects/2026-09/{name}/search")
        for name in ("calls", "meetings", "notes", "tasks", "emails")
    },
}

SIBLINGS = {"meetings", "notes", "tasks", "emails"}

OPERATIONS = (
    *(
        Operation(
            f"read {name}",
            "read",
            lambda desk, name=name: ReadTrial(desk, name),
            hits,
            sibling=name in SIBLINGS,
        )
        for name, hits in STREAMS.items()
    ),
    Operation("write scores", "scores", ScoresTrial, at("POST", f"{CONTACTS}/batch/update")),
    Operation("read scores back", "back", ReadBackTrial, at("POST", f"{CONTACTS}/batch/read")),
    Operation(
        "find a lead's tasks",
        "look",
        TaskTrial,
        at("POST", "/crm/associations/2026-09/contacts/tasks/batch/read"),
    ),
    Operation("look at tasks", "look", TaskTrial, at("POST", f"{TASKS}/batch/read")),
    Operation("read a lead's owner", "see", TaskTrial, at("POST", f"{CONTACTS}/batch/read")),
    Operation("make a task", "task", TaskTrial, at("POST", TASKS)),
    Operation("read a property", "see", FieldsTrial, at("POST", f"{CONTACTS}/batch/read")),
    Operation("set a property", "set", FieldsTrial, at("POST", f"{CONTACTS}/batch/update")),
    Operation("webhook", "webhook", WebhookTrial, at("POST", HOOK)),
    Operation("Slack", "slack", SlackTrial, at("POST", SLACK)),
)
