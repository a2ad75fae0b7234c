"""A checked scorecard becomes one query that scores every lead in a single pass."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlglot import ErrorLevel, exp

from rescore.model import MILLI
from rescore.rules.card import (
    ActivityRule,
    Band,
    FirstOfRule,
    FrequencyRule,
    LeadRule,
    Range,
    Rule,
    Scorecard,
    SilenceRule,
)
from rescore.scoring.aggregates import ActivitySums
from rescore.scoring.columns import Columns
from rescore.scoring.conditions import holds
from rescore.scoring.local_days import LocalDays
from rescore.scoring.reading import Reader
from rescore.scoring.sql import DIALECT, call, case, cast, column, number, text

CHOICE = "__choice"
"""`<rule>__choice` holds the index of the choice that a `first_of` rule took."""

_IN_AUDIENCE, _TOTAL = "in audience", "total"


@dataclass(frozen=True)
class ScoringQuery:
    """One query over the relations `activities` and `leads`; it gives one row for each lead."""

    expression: exp.Select
    dimension_columns: tuple[str, ...]
    rule_columns: tuple[str, ...]
    choice_columns: tuple[str, ...]

    def sql(self, dialect: str = DIALECT, *, pretty: bool = False) -> str:
        """The query as text; anything the dialect cannot say raises instead of passing through."""
        return self.expression.sql(dialect=dialect, pretty=pretty, unsupported_level=ErrorLevel.RAISE)


def compile_scorecard(
    card: Scorecard,
    *,
    as_of: datetime,
    columns: Columns,
    known_as_of: datetime | None = None,
    activities: str = "activities",
    leads: str = "leads",
) -> ScoringQuery:
    """Turn a checked scorecard into one query that scores every lead.

    Each rule becomes a column named after its id, in thousandths after the rule's limit, so a score
    is explained by reading its row. Decay is measured back from `as_of` (aware), never from a clock.

    Args:
        card: The scorecard, already checked.
        as_of: The scoring time; activities after it do not exist yet.
        columns: What the two relations hold; decides how each field is read.
        known_as_of: When given, activities that became known later do not exist either.
        activities: The name of the relation of activities.
        leads: The name of the relation of leads.
    """
    days = LocalDays.until(as_of, card.timezone)
    lead_fields = Reader("leads", columns.leads, days)
    sums = ActivitySums(
        [rule for rule in card.rules if isinstance(rule, ActivityRule | FrequencyRule | SilenceRule)],
        Reader("activities", columns.activities, days),
        known_as_of=known_as_of.astimezone(UTC).replace(tzinfo=None) if known_as_of else None,
        relation=activities,
    )
    choosers = [rule for rule in card.rules if isinstance(rule, FirstOfRule)]
    lead = column("lead", "leads")
    ruled = exp.select(
        lead,
        *(cast(_points(rule, lead_fields, sums), "BIGINT").as_(rule.id, quoted=True) for rule in card.rules),
        *(_choice(rule, lead_fields).as_(rule.id + CHOICE, quoted=True) for rule in choosers),
        exp.func("COALESCE", holds(card.audience, lead_fields), exp.false()).as_(_IN_AUDIENCE, quoted=True),
    ).from_(
        exp.alias_(exp.Table(this=exp.to_identifier(leads, quoted=True)), "leads", table=True, quoted=True)
    )
    query = exp.Select()
    for name, step in sums.steps():
        query = query.with_(exp.to_identifier(name, quoted=True), step, copy=False)
        if name in sums.joined:
            ruled = ruled.join(
                exp.to_table(name), on=column("lead", name).eq(lead.copy()), join_type="LEFT", copy=False
            )
    query = query.with_(exp.to_identifier("ruled", quoted=True), ruled, copy=False)
    query = query.with_(exp.to_identifier("summed", quoted=True), _dimension_sums(card), copy=False)
    query = query.with_(exp.to_identifier("totalled", quoted=True), _total(card), copy=False)
    return ScoringQuery(
        query.select(*_result(card, choosers)).from_("totalled"),
        tuple(dimension.id for dimension in card.dimensions),
        tuple(rule.id for rule in card.rules),
        tuple(rule.id + CHOICE for rule in choosers),
    )


def _points(rule: Rule, lead_fields: Reader, sums: ActivitySums) -> exp.Expression:
    match rule:
        case LeadRule():
            return case((holds(rule.condition, lead_fields), number(rule.points)), otherwise=number(0))
        case FirstOfRule():
            return case(
                *((holds(choice.when, lead_fields), number(choice.points)) for choice in rule.choices),
                otherwise=number(0),
            )
    return sums.points(rule)


def _choice(rule: FirstOfRule, lead_fields: Reader) -> exp.Expression:
    choices = enumerate(rule.choices)
    return cast(
        case(*((holds(choice.when, lead_fields), number(index)) for index, choice in choices)), "BIGINT"
    )


def _dimension_sums(card: Scorecard) -> exp.Select:
    sums = []
    for dimension in card.dimensions:
        rules = [column(rule.id) for rule in card.rules if rule.dimension == dimension.id]
        sums.append(_clamped(_added(rules), dimension.range).as_(dimension.id, quoted=True))
    return exp.select(exp.Star(), *sums).from_("ruled")


def _total(card: Scorecard) -> exp.Select:
    parts: list[exp.Expression] = [
        column(dimension.id) for dimension in card.dimensions if dimension.in_total
    ]
    total = _clamped(_added(parts), card.total)
    return exp.select(exp.Star(), _whole_points(total).as_(_TOTAL, quoted=True)).from_("summed")


def _result(card: Scorecard, choosers: list[FirstOfRule]) -> list[exp.Expression]:
    inside, total = column(_IN_AUDIENCE), column(_TOTAL)
    return [
        column("lead"),
        cast(case((inside, total)), "BIGINT").as_("score", quoted=True),
        _band(card.bands, inside, total).as_("band", quoted=True),
        *(
            cast(case((inside.copy(), _whole_points(column(dimension.id)))), "BIGINT").as_(
                dimension.id, quoted=True
            )
            for dimension in card.dimensions
        ),
        *(column(rule.id) for rule in card.rules),
        *(column(rule.id + CHOICE) for rule in choosers),
    ]


def _band(bands: tuple[Band, ...], inside: exp.Expression, total: exp.Expression) -> exp.Expression:
    branches = [(exp.not_(inside.copy()), exp.null())]
    branches += [(total.copy() >= number(-(-band.bound // MILLI)), text(band.id)) for band in bands]
    return cast(case(*branches), "TEXT")


def _added(parts: list[exp.Expression]) -> exp.Expression:
    if not parts:
        return cast(number(0), "BIGINT")
    total, *others = parts
    for other in others:
        total = exp.Add(this=total, expression=other)
    return total


def _clamped(value: exp.Expression, bounds: Range) -> exp.Expression:
    if bounds.ceiling is not None:
        value = call("LEAST", value, number(bounds.ceiling))
    if bounds.floor is not None:
        value = call("GREATEST", value, number(bounds.floor))
    return value


def _whole_points(thousandths: exp.Expression) -> exp.Expression:
    """Rounded half away from zero, by dividing only what is not negative: engines agree on that."""
    size = exp.IntDiv(this=exp.paren(call("ABS", thousandths) + number(MILLI // 2)), expression=number(MILLI))
    return exp.Mul(this=call("SIGN", thousandths), expression=exp.paren(size))
