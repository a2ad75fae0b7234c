"""Tasks of one automation that keep each other from being made."""

from __future__ import annotations

from collections.abc import Iterator

from rescore.rules.actions import CrmTask
from rescore.rules.card import Scorecard
from rescore.rules.lint.found import Found


def skipped(card: Scorecard) -> Iterator[Found]:
    """Tasks that skip while one is open, beside another of the same firing in the same CRM."""
    for at, automation in enumerate(card.automations):
        tasks = [(index, act) for index, act in enumerate(automation.actions) if isinstance(act, CrmTask)]
        for index, task in tasks:
            beside = any(other.target == task.target for place, other in tasks if place != index)
            if task.skip_if_open and beside:
                message = (
                    f"automation `{automation.id}` makes several tasks in `{task.target}`, and this one is "
                    "not made once another of them is open; write `skip_if_open: false`, or give it an "
                    "automation of its own"
                )
                yield Found(("automations", at, "do", index, task.kind), "one-task", message)
