"""Rules that look back further than a mapping's `history` lets activities be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rescore import mapping as mappings
from rescore.rules.card import ActivityRule, FrequencyRule, Rule, Scorecard, SilenceRule
from rescore.rules.lint.found import Found
from rescore.scoring.worth import worth_table
from rescore.strict.model import Path

WORTH_TELLING = 500
"""In thousandths: what an activity has to be worth at that age; less moves no rounded score by itself."""


def beyond_history(card: Scorecard, known: Mapping[str, mappings.Mapping]) -> Iterator[Found]:
    """Per rule the CRM that reads least far back, where the rule looks further."""
    limits = sorted((each.history.days, each.name) for each in known.values() if each.history)
    for at, rule in enumerate(card.rules):
        for days, name in limits[:1]:
            if found := _looks_beyond(rule, days):
                key, how = found
                path: Path = ("rules", at, *key)
                message = (
                    f"rule `{rule.id}` {how}, and of {name} only the last {days} days are read at first: "
                    f"make `history` in {name}.yaml longer, or let the rule look back less"
                )
                yield Found(path, "beyond-history", message)


def _looks_beyond(rule: Rule, days: int) -> tuple[Path, str] | None:
    """The key that says so, and what it says; None when the rule is content with so many days."""
    match rule:
        case FrequencyRule() if rule.within > days:
            return ("frequency", "within"), f"looks back {rule.within} days"
        case SilenceRule() if rule.none_within > days:
            return ("none_within",), f"looks back {rule.none_within} days"
        case ActivityRule():
            worth = worth_table(rule.points, rule.decay)
            if abs(worth[min(days, len(worth) - 1)]) >= WORTH_TELLING:
                return ("decay",) if rule.decay.shape else ("id",), "counts older activities too"
    return None
