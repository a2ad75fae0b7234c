"""What a linter finds, and what it may know of the world: the lake in counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rescore.rules.card import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FirstOfRule,
    Kind,
    LeadRule,
    Not,
    Operator,
    Scorecard,
)
from rescore.strict.model import Path


class Found(NamedTuple):
    """One thing that holds and is probably not meant: where in the file, which kind, what and the way out."""

    path: Path
    code: str
    message: str


@dataclass(frozen=True, slots=True, order=True)
class LintWarning:
    """One finding at its place in the file, both counted from 1."""

    line: int
    column: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Census:
    """What a lake holds: each name with how many activities or leads have it.

    The words are those that stand in the values of the fields, told only when several leads share them.
    """

    activity_types: Mapping[str, int]
    activity_fields: Mapping[str, int]
    lead_attributes: Mapping[str, int]
    activity_words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lead_words: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Asked(NamedTuple):
    """A condition of a scorecard: where it stands, whom it belongs to, and whether it is about the lead."""

    path: Path
    who: str
    condition: Condition
    of_lead: bool


def facts_conditions(card: Scorecard) -> Iterator[Asked]:
    """Every condition over facts: rules, audience, restart, quarantine, and what automations ask of leads."""
    for at, rule in enumerate(card.rules):
        who, path = f"rule `{rule.id}`", ("rules", at)
        match rule:
            case LeadRule():
                yield Asked((*path, "lead"), who, rule.condition, True)
            case FirstOfRule():
                for index, choice in enumerate(rule.choices):
                    yield Asked((*path, "first_of", index, "when"), who, choice.when, True)
            case _:
                yield Asked((*path, "where"), who, rule.where, False)
    yield Asked(("audience", "exclude"), "the audience", card.audience, True)
    if card.restart is not None:
        yield Asked(("restart", "where"), "the restart", card.restart.where, False)
    for at, entry in enumerate(card.quarantine):
        yield Asked(("quarantine", at, "where"), f"quarantine entry `{entry.id}`", entry.where, False)
    for at, automation in enumerate(card.automations):
        for key, condition in (("unless", automation.unless), ("already_fired", automation.already_fired)):
            if condition is not None:
                yield Asked(("automations", at, key), f"automation `{automation.id}`", condition, True)
        if automation.once_per is not None:
            there = Comparison(automation.once_per.key, Operator.EXISTS, Kind.ANY, (True,))
            yield Asked(("automations", at, "once_per"), f"automation `{automation.id}`", there, True)


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Every comparison in a condition, whatever stands around it."""
    match condition:
        case Comparison():
            yield condition
        case Not(part):
            yield from comparisons(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from comparisons(part)
