"""Values that a rule wanted as a number, a flag or a date and that are none: they count as missing."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlglot import exp

from rescore.rules.card import (
    ActivityRule,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FirstOfRule,
    FrequencyRule,
    Kind,
    LeadRule,
    Not,
    Operator,
    Scorecard,
    SilenceRule,
)
from rescore.rules.scope import ACCOUNT, about_accounts
from rescore.scoring.columns import ColumnType
from rescore.scoring.facts import Facts
from rescore.scoring.lead_flags import lead_flags, once_columns
from rescore.scoring.local_days import LocalDays
from rescore.scoring.reading import Reader
from rescore.scoring.sql import DIALECT, Sql, case, is_null, number, table

_AS_THEY_ARE = {
    Kind.TEXT: {ColumnType.TEXT},
    Kind.NUMBER: {ColumnType.INTEGER, ColumnType.DOUBLE, ColumnType.DECIMAL},
    Kind.FLAG: {ColumnType.FLAG},
    Kind.DATE: {ColumnType.DATE},
}
"""The columns in which there is no value that fails to be read."""


def unreadable(card: Scorecard, facts: Facts) -> dict[str, int]:
    """How many values did not parse, by `<field> as <kind>`; only fields with such values are listed.

    Missing values are not counted, and neither are fields that the facts do not have.
    """
    columns = facts.columns
    days = LocalDays.until(datetime(1970, 1, 1, tzinfo=UTC), card.timezone)  # any time: parsing has none
    of_leads, of_activities = list(_lead_conditions(card)), list(_activity_conditions(card))
    counts: dict[str, int] = {}
    for relation, types, conditions, not_finite in (
        (facts.leads, columns.leads, of_leads, facts.not_finite.get("leads", {})),
        (facts.activities, columns.activities, of_activities, facts.not_finite.get("activities", {})),
    ):
        reader = Reader("rows", types, days)
        wanted = sorted({pair for each in conditions for pair in _readings(each) if pair[0] in types})
        failed = dict.fromkeys(wanted, 0)
        checks = {
            (field, kind): _fails(reader, field, kind)
            for field, kind in wanted
            if types[field] not in _AS_THEY_ARE[kind]
        }
        if checks:
            rows = reader.selected(relation, checks.values(), "lead")
            counted = exp.select(*(exp.Count(this=case((fails, number(1)))) for fails in checks.values()))
            query = counted.from_(table("rows")).with_(exp.to_identifier("rows", quoted=True), rows)
            [found] = facts.connection.execute(query.sql(DIALECT)).fetchall()
            failed |= dict(zip(checks, found, strict=True))
        for field, kind in wanted:
            if count := failed[field, kind] + not_finite.get(field, 0):
                counts[f"{field} as {kind}"] = counts.get(f"{field} as {kind}", 0) + count
    return counts


def absent_fields(card: Scorecard, facts: Facts) -> list[str]:
    """The fields the rules compare and the facts do not have, as `leads: job_title`: always missing."""
    columns = facts.columns
    absent = []
    for relation, types, conditions in (
        ("leads", columns.leads, _lead_conditions(card)),
        ("activities", columns.activities, _activity_conditions(card)),
    ):
        wanted = {field for condition in conditions for field, _ in _readings(condition)}
        wanted |= {ACCOUNT} if relation == "leads" and about_accounts(card) else set()
        absent += [f"{relation}: {field}" for field in sorted(wanted - types.keys())]
    return absent


def _fails(reader: Reader, field: str, kind: Kind) -> Sql:
    read = {
        Kind.TEXT: reader.folded,
        Kind.NUMBER: reader.number,
        Kind.FLAG: reader.flag,
        Kind.DATE: reader.date,
    }
    return exp.and_(reader.exists(field), is_null(read[kind](field)))


def _lead_conditions(card: Scorecard) -> Iterator[Condition]:
    yield card.audience
    for rule in card.rules:
        if isinstance(rule, LeadRule):
            yield rule.condition
        elif isinstance(rule, FirstOfRule):
            yield from (choice.when for choice in rule.choices)
    yield from (found.condition for found in lead_flags(card))
    for _, automation in once_columns(card):
        if (once := automation.once_per) is not None:
            yield Comparison(once.key, Operator.EXISTS, Kind.ANY, (True,))


def _activity_conditions(card: Scorecard) -> Iterator[Condition]:
    for rule in card.rules:
        if isinstance(rule, ActivityRule | FrequencyRule | SilenceRule):
            yield rule.where
    if card.restart:
        yield card.restart.where
    yield from (entry.where for entry in card.quarantine)


def _readings(condition: Condition) -> Iterator[tuple[str, Kind]]:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _readings(part)
        case Not(part):
            yield from _readings(part)
        case Comparison(field=field, kind=kind) if kind is not Kind.ANY:
            yield field, kind
