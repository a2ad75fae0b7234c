"""A scorecard made in Python as the rules file that says the same: the ledger keeps nothing else."""

from __future__ import annotations

import json
from typing import Any

from rescore.rules.actions import Action, CrmFields, CrmTask, Deliver, SetField
from rescore.rules.card import (
    ALWAYS,
    ActivityRule,
    AllOf,
    AnyOf,
    Automation,
    Comparison,
    Condition,
    Kind,
    Not,
    Scorecard,
)
from rescore.rules.conditions import MANY_TEXTS
from rescore.rules.deliver_file import WEEK

POLICIES = ("on_rules_change", "first_seen", "already_past", "max_per_run", "max_per_day", "group")
DAYS = ("cooldown", "max_age")
CONDITIONS = ("ready_again_when", "already_fired", "unless")
LISTS = {"in", "between", *MANY_TEXTS}


def rules_text(card: Scorecard) -> bytes:
    """A file for the cards of these tests: rules for activities, bands, automations."""
    file: dict[str, Any] = {
        "scorecard": card.id,
        "timezone": card.timezone.key,
        "dimensions": {dimension.id: {} for dimension in card.dimensions},
        "rules": [_rule(rule) for rule in card.rules if isinstance(rule, ActivityRule)],
        "bands": {band.id: band.bound // 1000 for band in card.bands},
        "automations": [_automation(automation) for automation in card.automations],
    }
    if card.description:
        file["description"] = card.description
    return json.dumps(file).encode()


def _rule(rule: ActivityRule) -> dict[str, Any]:
    assert rule.where == ALWAYS
    return {
        "id": rule.id,
        "label": rule.label,
        "dimension": rule.dimension,
        "activity": list(rule.activities),
        "points": rule.points / 1000,
    }


def _automation(automation: Automation) -> dict[str, Any]:
    file: dict[str, Any] = {
        "id": automation.id,
        "label": automation.label,
        "fire_when": _condition(automation.fire_when),
        "do": [_action(action) for action in automation.actions],
    }
    if (deliver := automation.deliver) is not None:
        file["deliver"] = _deliver(deliver)
    if (once := automation.once_per) is not None:
        file["once_per"] = {"key": once.key, "within": f"{once.within}d"}
    file |= {name: getattr(automation, name) for name in POLICIES}
    file |= {name: days and f"{days}d" for name in DAYS if (days := getattr(automation, name))}
    file |= {name: _condition(said) for name in CONDITIONS if (said := getattr(automation, name))}
    return {name: value for name, value in file.items() if value is not None}


def _action(action: Action) -> dict[str, Any]:
    fields = {name: getattr(action, name) for name in action.__slots__}
    if isinstance(action, CrmTask):
        fields["due"] = f"{action.due}d"
    if isinstance(action, CrmFields):
        fields = {"target": action.target, "set": {each.property: _field(each) for each in action.fields}}
    return {action.kind: {name: list(v) if isinstance(v, tuple) else v for name, v in fields.items()}}


def _field(field: SetField) -> dict[str, Any]:
    file: dict[str, Any] = {"value": field.value, "if_empty": field.if_empty}
    return file if field.only_from is None else file | {"only_from": list(field.only_from)}


def _deliver(deliver: Deliver) -> dict[str, Any]:
    file: dict[str, Any] = {"days": [WEEK[day] for day in deliver.days], "timezone": deliver.timezone}
    file["still_true"] = deliver.still_true
    if deliver.hours is not None:
        file["hours"] = "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in deliver.hours)
    return file if deliver.expires is None else file | {"expires": f"{deliver.expires}h"}


def _condition(condition: Condition) -> dict[str, Any]:
    match condition:
        case AllOf(parts):
            return {"all": [_condition(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [_condition(part) for part in parts]}
        case Not(part):
            return {"not": _condition(part)}
        case Comparison(field, operator, kind, values):
            literals = [float(value) if kind is Kind.NUMBER else value for value in values]
            return {field: {operator: literals if operator in LISTS else literals[0]}}
