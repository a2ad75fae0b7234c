"""Actions that a deployment does not open to automations, or that would get in the way of its CRM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rescore import mapping as mappings
from rescore.rules.actions import CrmFields, CrmTask, SetField
from rescore.rules.card import Scorecard
from rescore.rules.lint.found import Found
from rescore.strict.model import Path, did_you_mean


def not_open(card: Scorecard, known: Mapping[str, mappings.Mapping]) -> Iterator[Found]:
    """CRMs without a mapping, tasks that are made nowhere, properties and stages that nobody named.

    Also a Connection with the name of a mapping: when the receiver fails, the CRM is left alone with it.
    """
    for at, automation in enumerate(card.automations):
        who = f"automation `{automation.id}`"
        for index, action in enumerate(automation.actions):
            path: Path = ("automations", at, "do", index, action.kind)
            if not isinstance(action, CrmTask | CrmFields):
                if action.connection in known:
                    message = (
                        f"{who} sends through `{action.connection}`, which is the name of a mapping, too: a "
                        "receiver that fails would keep scores from the CRM; give the Connection another name"
                    )
                    yield Found((*path, "connection"), "not-open", message)
                continue
            crm = known.get(action.target)
            if crm is None:
                message = (
                    f"{who} acts in `{action.target}`, which no mapping is; {_meant(action.target, known)}"
                )
                yield Found((*path, "target"), "not-open", message)
            elif isinstance(action, CrmTask) and not crm.makes_tasks:
                yield Found(path, "not-open", f"{who} makes tasks, and {crm.name}.yaml has no `tasks`")
            elif isinstance(action, CrmFields):
                for field in action.fields:
                    if why := _about(field, crm):
                        place = (*path, "set", field.property)
                        yield Found(place, "not-open", f"{who} sets `{field.property}`, {why}")


def _about(field: SetField, crm: mappings.Mapping) -> str | None:
    if field.property not in crm.settable:
        return f"which {crm.name}.yaml does not name under `settable`"
    stages = crm.settable[field.property].stages
    if not stages or "{" in field.value:
        return None
    if field.value not in stages:
        return f"and `{field.value}` is none of its `stages` in {crm.name}.yaml"
    behind = stages[: stages.index(field.value)]
    if (
        field.only_from
        and not field.if_empty
        and not any(value in behind or value not in stages for value in field.only_from)
    ):
        return f"and every value of `only_from` is a later stage than `{field.value}`, which never goes back"
    return None


def _meant(target: str, known: Mapping[str, mappings.Mapping]) -> str:
    return did_you_mean(target, known) if known else "there is none"
