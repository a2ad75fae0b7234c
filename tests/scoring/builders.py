"""Short words for scorecards, leads and activities in tests of scoring."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rescore.rules.card import (
    ALWAYS,
    NO_DECAY,
    NO_LIMIT,
    ActivityRule,
    Comparison,
    Condition,
    Decay,
    Dimension,
    Kind,
    LeadRule,
    Limit,
    Operator,
    Range,
    Rule,
    Scope,
    Scorecard,
)
from rescore.scoring.engine import score
from rescore.scoring.facts import Facts, facts_from_tables

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WORDS = {"label": "A rule", "dimension": "engagement", "line": 1}


def a_card(*rules: Rule, **options: Any) -> Scorecard:
    """A scorecard in UTC with one unbounded dimension, unless options say otherwise."""
    plain = {
        "id": "card",
        "description": "",
        "timezone": ZoneInfo("UTC"),
        "total": Range(),
        "dimensions": (Dimension("engagement", Range()),),
        "audience": ALWAYS,
        "bands": (),
        "automations": (),
    }
    return Scorecard(**(plain | options), rules=rules)


def an_activity_rule(
    points: int,
    *,
    where: Condition = ALWAYS,
    limit: Limit = NO_LIMIT,
    decay: Decay = NO_DECAY,
    activities: tuple[str, ...] = ("visit",),
    id: str = "rule",  # noqa: A002
    scope: Scope = "lead",
) -> ActivityRule:
    return ActivityRule(
        id=id,
        **WORDS,
        activities=activities,
        where=where,
        points=points,
        limit=limit,
        decay=decay,
        scope=scope,
    )


def a_lead_rule(condition: Condition, points: int = 1000) -> LeadRule:
    return LeadRule(id="rule", **WORDS, condition=condition, points=points)


def compares(operator: str, *literals: Any, field: str = "field") -> Comparison:
    """`{field: {operator: literal}}`, with the kind that the literal has."""
    word = Operator(operator)
    kind = Kind.TEXT
    if word is Operator.EXISTS:
        kind = Kind.ANY
    elif word is Operator.IS:
        kind = Kind.FLAG
    elif word in {Operator.NEWER_THAN, Operator.OLDER_THAN}:
        kind = Kind.DATE
    elif not isinstance(literals[0], str):
        kind, literals = Kind.NUMBER, tuple(Decimal(str(literal)) for literal in literals)
    return Comparison(field, word, kind, literals)


def visits(*times: str, lead: str = "ada", type: str = "visit", **fields: Any) -> list[dict[str, Any]]:  # noqa: A002
    """Activities at naive UTC times."""
    return [
        {"lead": lead, "type": type, "occurred_at": datetime.fromisoformat(moment)} | fields
        for moment in times
    ]


def facts(
    activities: list[dict[str, Any]] = (), leads: list[dict[str, Any]] | pa.Table | None = None
) -> Facts:
    """Facts of some activities and leads; without leads, of one called ada."""
    if not isinstance(leads, pa.Table):
        leads = pa.Table.from_pylist(leads or [{"lead": "ada"}])
    if activities:
        return facts_from_tables(leads, pa.Table.from_pylist(list(activities)))
    none = pa.schema({"lead": pa.string(), "type": pa.string(), "occurred_at": pa.timestamp("us")})
    return facts_from_tables(leads, none.empty_table())


def scored(card: Scorecard, given: Facts, as_of: datetime = NOON) -> dict[str, Any]:
    """The row of the only lead."""
    (row,) = score(card, given, as_of=as_of).to_pylist()
    return row


def holds(condition: Condition, value: Any, kind: pa.DataType | None = None, as_of: datetime = NOON) -> bool:
    """Whether a condition on `field` holds for a lead that has this value there."""
    leads = pa.table({"lead": ["ada"], "field": pa.array([value], kind)})
    return scored(a_card(a_lead_rule(condition)), facts(leads=leads), as_of)["rule"] == 1000
