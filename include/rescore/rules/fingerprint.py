"""What a change of a scorecard wakes: one hash per kind of consequence.

    scoring      points, conditions, limits, decay, restart, quarantine, zone, audience, dimensions, range:
                 a full rescore
    thresholds   bands, grades, automations: crossings derived again from stored scores
    wording      labels, description, examples, what messages say: nothing

A list belongs to the strongest part that names it; one that nothing names is wording.

What has no meaning is not hashed: comments, formatting, the order of keys, of rules, of alternatives.
Neither is what stands at its default, so a key that a later build adds wakes nobody who does not use it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, Self

from rescore.rules.card import AllOf, AnyOf, FirstOfRule, Rule, Scorecard
from rescore.rules.list_use import asked_by

Part = Literal["scoring", "thresholds", "wording"]

TEXTS = ("title", "subject", "text")
WORDS = frozenset({"label", "line", *TEXTS})
UNORDERED = frozenset({"activities", "dimensions", "values", "lead", "fields", "expect"})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """SHA-256 in hex per part."""

    scoring: str
    thresholds: str
    wording: str

    def wakes(self, old: Self) -> Part | None:
        """The strongest part that differs from an older fingerprint; None when nothing does."""
        parts: tuple[Part, ...] = ("scoring", "thresholds", "wording")
        return next((part for part in parts if getattr(self, part) != getattr(old, part)), None)


def fingerprint(card: Scorecard) -> Fingerprint:
    """The same for every way of writing the same scorecard."""
    return Fingerprint(
        scoring=_sha256(
            card.timezone.key,
            canonical(card.total),
            _sorted(card.dimensions),
            _sorted(card.rules),
            canonical(card.audience),
            *_lists(card, "scoring"),
            *([canonical(card.restart)] if card.restart else []),
            *([_sorted(card.quarantine)] if card.quarantine else []),
        ),
        thresholds=_sha256(
            _sorted(card.bands),
            _sorted(card.automations),
            *_groups(card),
            *_lists(card, "thresholds"),
            *([canonical(card.grades), card.grades.label] if card.grades else []),
        ),
        wording=_sha256(
            card.description,
            {rule.id: _labels(rule) for rule in card.rules},
            {automation.id: automation.label for automation in card.automations},
            _sorted(card.examples),
            *([texts] if (texts := _texts(card)) else []),
            *_lists(card, "wording"),
            *([{entry.id: entry.label for entry in card.quarantine}] if card.quarantine else []),
        ),
    )


def _sha256(*parts: Any) -> str:
    return hashlib.sha256(_text(parts).encode()).hexdigest()


def _text(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _sorted(values: Iterable[Any]) -> list[Any]:
    """For lists whose order means nothing."""
    return sorted((canonical(value) for value in values), key=_text)


def _groups(card: Scorecard) -> list[list[str]]:
    """The automations of each group in the file's order, which means something there."""
    groups: dict[str, list[str]] = {}
    for automation in card.automations:
        if automation.group is not None:
            groups.setdefault(automation.group, []).append(automation.id)
    return [groups[name] for name in sorted(groups)]


def _lists(card: Scorecard, part: Part) -> list[dict[str, list[str]]]:
    """The values of the lists of a part, by name; nothing where there are none."""
    values = {named.id: sorted(named.values) for named in card.lists if asked_by(card, named.id) == part}
    return [values] if values else []


def _labels(rule: Rule) -> list[str]:
    return (
        [rule.label, *(choice.label for choice in rule.choices)]
        if isinstance(rule, FirstOfRule)
        else [rule.label]
    )


def _texts(card: Scorecard) -> dict[str, list[str]]:
    """What the actions of each automation say, in the order of the actions; most say nothing."""
    said = {
        automation.id: [
            getattr(action, name) for action in automation.actions for name in TEXTS if hasattr(action, name)
        ]
        for automation in card.automations
    }
    return {automation: texts for automation, texts in said.items() if texts}


def canonical(value: Any) -> Any:
    """JSON in one canonical form: equal exactly when two parts of scorecards mean the same, words aside.

    Numbers are exact, so that 1 and 1.0 are the same.
    """
    match value:
        case AllOf(parts) | AnyOf(parts):
            return {type(value).__name__: _sorted(parts)}
        case None | bool() | str():
            return value
        case datetime():
            return value.isoformat()
        case tuple():
            return [canonical(item) for item in value]
        case int() | Decimal() | Fraction():
            return ["number", str(Fraction(value))]
        case _:
            return {type(value).__name__: _fields(value)}


def _fields(value: Any) -> dict[str, Any]:
    named = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in WORDS}
    defaults = {field.name: field.default for field in fields(value)}
    kept = {name: item for name, item in named.items() if item != defaults[name]}
    return {name: _sorted(item) if name in UNORDERED else canonical(item) for name, item in kept.items()}
