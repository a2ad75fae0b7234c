"""Which rules are about a lead's whole account."""

from collections.abc import Iterable

from rescore.rules.card import ActivityBased, ActivityRule, FrequencyRule, Rule, Scorecard, SilenceRule

ACCOUNT = "account"
"""The attribute of a lead that says whose it is."""


def account_rules(rules: Iterable[Rule]) -> list[ActivityBased]:
    """Those that look at what all leads of the account did."""
    return [rule for rule in _about_activities(rules) if rule.scope == "account"]


def lead_rules(rules: Iterable[Rule]) -> list[ActivityBased]:
    """Those that look at what the lead itself did."""
    return [rule for rule in _about_activities(rules) if rule.scope == "lead"]


def about_accounts(card: Scorecard) -> bool:
    """Whether a lead's score depends on what its colleagues did."""
    return bool(account_rules(card.rules))


def _about_activities(rules: Iterable[Rule]) -> list[ActivityBased]:
    return [rule for rule in rules if isinstance(rule, ActivityRule | FrequencyRule | SilenceRule)]
