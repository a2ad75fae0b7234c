"""Names without an echo: types and fields that nothing in the lake has, lists that no condition asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rescore.rules.card import ActivityRule, Burst, FrequencyRule, Scorecard, SilenceRule, SoonAfter
from rescore.rules.lint.found import Census, Found, comparisons, facts_conditions
from rescore.rules.list_use import asked_by
from rescore.rules.scope import ACCOUNT
from rescore.strict.model import Path, nearest


def unknown_names(card: Scorecard, census: Census) -> Iterator[Found]:
    """Names that the lake has never seen, each with the nearest that it has."""
    for at, rule in enumerate(card.rules):
        if isinstance(rule, ActivityRule | FrequencyRule | SilenceRule):
            path: Path = ("rules", at, "activity")
            yield from _types(path, f"rule `{rule.id}`", rule.activities, census.activity_types)
            if rule.scope == "account":
                path = ("rules", at, "scope")
                yield from _field(path, f"rule `{rule.id}`", ACCOUNT, census.lead_attributes)
        if isinstance(rule, FrequencyRule) and rule.field is not None:
            path = ("rules", at, "frequency", "distinct")
            yield from _field(path, f"rule `{rule.id}`", rule.field, census.activity_fields)
    if card.restart is not None:
        yield from _types(
            ("restart", "activity"), "the restart", card.restart.activities, census.activity_types
        )
    for at, entry in enumerate(card.quarantine):
        who, types = f"quarantine entry `{entry.id}`", census.activity_types
        yield from _types(("quarantine", at, "activity"), who, entry.activities, types)
        match entry.pattern:
            case SoonAfter(activities=before):
                yield from _types(("quarantine", at, "soon_after", "activity"), who, before, types)
            case Burst(field=str(name)):
                path = ("quarantine", at, "burst", "distinct")
                yield from _field(path, who, name, census.activity_fields)
    for asked in facts_conditions(card):
        known = census.lead_attributes if asked.of_lead else census.activity_fields
        for name in dict.fromkeys(one.field for one in comparisons(asked.condition)):
            yield from _field((*asked.path, name), asked.who, name, known)


def unused_lists(card: Scorecard) -> Iterator[Found]:
    """Lists that no condition names."""
    for named in card.lists:
        if asked_by(card, named.id) == "wording":
            message = f"no condition names the list `{named.id}`; write `in_list: {named.id}`, or take it out"
            yield Found(("lists", named.id), "unused-list", message)


def _types(path: Path, who: str, asked: tuple[str, ...], seen: Mapping[str, int]) -> Iterator[Found]:
    """A type that nobody has seen is worth a word when it looks misspelt, or the rule counts nothing else."""
    if not seen:
        return
    for name in asked:
        if seen.get(name):
            continue
        near = nearest(name, [known for known in seen if known not in asked])
        if near is not None:
            message = f"{who} counts `{name}`, which no activity in the lake is; did you mean `{near}`?"
        elif not any(seen.get(other) for other in asked):
            message = (
                f"{who} counts `{name}`, which no activity in the lake is; does the CRM's mapping call it so?"
            )
        else:
            continue
        yield Found(path, "unknown-activity", message)


def _field(path: Path, who: str, name: str, seen: Mapping[str, int]) -> Iterator[Found]:
    if not seen or seen.get(name):
        return
    near = nearest(name, [known for known, count in seen.items() if count])
    way_out = f"did you mean `{near}`?" if near else "does the CRM's mapping bring it?"
    yield Found(path, "unknown-field", f"{who} asks for `{name}`, which nothing in the lake has; {way_out}")
