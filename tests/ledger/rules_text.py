"""A scorecard made in Python as the rules file that says the same: the ledger keeps nothing else."""

from __future__ import annotations

import json
from typing import Any

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
        "do": [{"webhook": {"connection": action.connection}} for action in automation.actions],
    }
    file |= {name: getattr(automation, name) for name in POLICIES}
    file |= {name: days and f"{days}d" for name in DAYS if (days := getattr(automation, name))}
    file |= {name: _condition(said) for name in CONDITIONS if (said := getattr(automation, name))}
    return {name: value for name, value in file.items() if value is not None}


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
