"""A checked scorecard becomes one query that scores every lead in a single pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypedDict

from sqlglot import ErrorLevel, exp

from rescore.model import MILLI
from rescore.rules.card import (
    Band,
    Dimension,
    FirstOfRule,
    LeadRule,
    Rule,
    Scorecard,
)
from rescore.rules.grade_labels import PLACE
from rescore.rules.scope import account_rules, lead_rules
from rescore.scoring import lists, withheld
from rescore.scoring.accounts import OF_ACCOUNTS, AccountSums, points_of
from rescore.scoring.activity_sums import RESTARTED_AT, RESTARTS, ActivitySums
from rescore.scoring.columns import Columns
from rescore.scoring.conditions import holds
from rescore.scoring.lead_flags import asked_columns, asked_names
from rescore.scoring.local_days import LocalDays
from rescore.scoring.quarantine import Quarantine
from rescore.scoring.reading import Reader
from rescore.scoring.sql import (
    DIALECT,
    Sql,
    added,
    call,
    case,
    cast,
    clamped,
    coalesce,
    column,
    concatenated,
    named,
    number,
    table,
    text,
)

CHOICE = "__choice"
"""`<rule>__choice` holds the index of the choice that a `first_of` rule took."""

PROFILES, RULED, SUMMED, TOTALLED = "profiles", "ruled", "summed", "totalled"
IN_AUDIENCE, TOTAL = "in audience", "total"


@dataclass(frozen=True)
class ScoringQuery:
    """One query over a relation of activities and one of leads; it gives one row for each lead.

    `tables` names those of its subqueries that are the same for every part of the facts: lists, what
    activities are worth, and what rules about accounts give each lead.
    """

    expression: exp.Select
    tables: tuple[str, ...]
    dimension_columns: tuple[str, ...]
    rule_columns: tuple[str, ...]
    choice_columns: tuple[str, ...]

    def sql(self, dialect: str = DIALECT, *, pretty: bool = False) -> str:
        """The query as text; what the dialect cannot say raises instead of passing through."""
        return _text(self.expression, dialect, pretty=pretty)

    def with_tables(self) -> tuple[list[str], str]:
        """Statements that make temporary tables of `tables`, and the query over them.

        An engine that has counted a small table joins it faster than a subquery, and plans it once for all
        the parts it is joined with.
        """
        if not self.tables:
            return [], self.sql()
        steps = self.expression.args["with_"].expressions
        made = [_temporary(step.alias, step.this) for step in steps if step.alias in self.tables]
        others = exp.With(expressions=[step for step in steps if step.alias not in self.tables])
        query = exp.Select(**self.expression.args | {"with_": others})
        return [_text(step, copy=False) for step in made], _text(query, copy=False)


def compile_scorecard(
    card: Scorecard,
    *,
    as_of: datetime,
    columns: Columns,
    known_as_of: datetime | None = None,
    activities: str = "activities",
    leads: str = "leads",
    accounts: tuple[str, str] | None = None,
    row_by_row: bool = False,
) -> ScoringQuery:
    """Turn a checked scorecard into one query that scores every lead.

    Each rule becomes a column named after its id, in thousandths after the rule's limit, so a score
    is explained by reading its row. Ages are measured back from `as_of`, never from a clock.

    Args:
        card: The scorecard, already checked.
        as_of: The scoring time (aware); activities after it do not exist yet.
        columns: What the two relations hold; decides how each field is read.
        known_as_of: When given, activities that became known later do not exist either.
        activities: The name of the relation of activities.
        leads: The name of the relation of leads.
        accounts: The names of two such relations that have all leads of the accounts of those leads, where
            the two do not.
        row_by_row: Each row of both relations is scored as of the date in its column `TODAY`, and whoever
            made them has left out what happened later.
    """
    days = replace(LocalDays.until(as_of, card.timezone), row_by_row=row_by_row)
    profiles = Reader(PROFILES, columns.leads, days, {values.id: values for values in card.lists})
    told: _Told = {"days": days, "columns": columns, "known_as_of": known_as_of}
    sums = activity_sums(card, **told, relations=(activities, leads))
    of_accounts = account_sums(card, **told, relations=accounts or (activities, leads))
    ruled = _ruled(card, profiles, sums)
    reading = [
        *([(OF_ACCOUNTS, of_accounts.by_lead())] if of_accounts else []),
        *sums.steps(),
        (PROFILES, profiles.selected(leads, [ruled], "lead")),
        (RULED, ruled),
    ]
    steps = [
        *lists.steps(card.lists, [step for _, step in reading]),
        *reading,
        (SUMMED, _summed(card)),
        (TOTALLED, _totalled(card)),
    ]
    query = _result(card, kept_out=withheld.reason(profiles) is not None)
    for name, step in steps:
        query = query.with_(exp.to_identifier(name, quoted=True), step, copy=False)
    return ScoringQuery(
        query,
        tuple(name for name, step in steps if name == OF_ACCOUNTS or step.find(exp.Table) is None),
        tuple(dimension.id for dimension in card.dimensions),
        tuple(rule.id for rule in card.rules),
        tuple(_choice_columns(card)),
    )


class _Told(TypedDict):
    """What every part of the query that reads activities is told."""

    days: LocalDays
    columns: Columns
    known_as_of: datetime | None


def quarantine(
    card: Scorecard,
    *,
    days: LocalDays,
    columns: Columns,
    known_as_of: datetime | None,
    relations: tuple[str, str],
) -> Quarantine:
    """The part of the query that keeps activities out of two relations, of activities and of leads."""
    return Quarantine(
        card.quarantine,
        columns=columns,
        days=days,
        relations=relations,
        known_as_of=_naive(known_as_of),
        values=card.lists,
    )


def activity_sums(
    card: Scorecard,
    *,
    days: LocalDays,
    columns: Columns,
    known_as_of: datetime | None,
    relations: tuple[str, str],
) -> ActivitySums:
    """The part of the query that reads what each lead did."""
    kept_out = quarantine(card, days=days, columns=columns, known_as_of=known_as_of, relations=relations)
    return ActivitySums(
        lead_rules(card.rules),
        types=columns.activities,
        days=days,
        relation=kept_out.left,
        known_as_of=_naive(known_as_of),
        values=card.lists,
        restart=card.restart,
        before=kept_out.steps(),
        earliest=columns.earliest,
    )


def account_sums(
    card: Scorecard,
    *,
    days: LocalDays,
    columns: Columns,
    known_as_of: datetime | None,
    relations: tuple[str, str],
) -> AccountSums | None:
    """The part of the query that reads what whole accounts did; None where no rule asks."""
    rules = account_rules(card.rules)
    if not rules:
        return None
    return AccountSums(
        rules,
        columns=columns,
        days=days,
        quarantine=quarantine(card, days=days, columns=columns, known_as_of=known_as_of, relations=relations),
        leads=relations[1],
        known_as_of=_naive(known_as_of),
        values=card.lists,
    )


def _naive(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC).replace(tzinfo=None)


def _ruled(card: Scorecard, profiles: Reader, sums: ActivitySums) -> exp.Select:
    """One row for each lead: the points of every rule, and whether the lead is in the audience."""
    lead = profiles.raw("lead")
    points = [named(cast(_points(rule, profiles, sums), "BIGINT"), rule.id) for rule in card.rules]
    choices = [
        named(cast(_first_of(rule, profiles, list(range(len(rule.choices)))), "BIGINT"), rule.id + CHOICE)
        for rule in card.rules
        if isinstance(rule, FirstOfRule)
    ]
    flags = list(asked_columns(card, profiles))
    audience = withheld.of_those_that_may_be_scored(card.audience, profiles.types)
    inside = named(coalesce(holds(audience, profiles), exp.false()), IN_AUDIENCE)
    why = withheld.reason(profiles)
    kept_out = [] if why is None else [named(cast(why, "TEXT"), withheld.COLUMN)]
    restarted = [column(RESTARTED_AT, RESTARTS)] if card.restart else []
    ruled = exp.select(lead, *points, *choices, *flags, *restarted, *kept_out, inside).from_(
        table(PROFILES), copy=False
    )
    for name in [*sums.joined, *([OF_ACCOUNTS] if account_rules(card.rules) else [])]:
        ruled = ruled.join(table(name), on=column("lead", name).eq(lead.copy()), join_type="LEFT", copy=False)
    return ruled


def _points(rule: Rule, profiles: Reader, sums: ActivitySums) -> Sql:
    match rule:
        case LeadRule():
            return case((holds(rule.condition, profiles), number(rule.points)), otherwise=number(0))
        case FirstOfRule():
            return coalesce(_first_of(rule, profiles, [choice.points for choice in rule.choices]), number(0))
    return points_of(rule) if rule.scope == "account" else sums.points(rule)


def _first_of(rule: FirstOfRule, profiles: Reader, values: list[int]) -> Sql:
    whens = [holds(choice.when, profiles) for choice in rule.choices]
    return case(*zip(whens, map(number, values), strict=True))


def _summed(card: Scorecard) -> exp.Select:
    return exp.select(exp.Star(), *(_sum(card, dimension) for dimension in card.dimensions)).from_(
        table(RULED)
    )


def _sum(card: Scorecard, dimension: Dimension) -> Sql:
    rules = [column(rule.id) for rule in card.rules if rule.dimension == dimension.id]
    bounds = dimension.range
    return named(clamped(added(rules), bounds.floor, bounds.ceiling), dimension.id)


def _totalled(card: Scorecard) -> exp.Select:
    parts = [column(dimension.id) for dimension in card.dimensions if dimension.in_total]
    total = clamped(added(parts), card.total.floor, card.total.ceiling)
    return exp.select(exp.Star(), named(_whole_points(total), TOTAL)).from_(table(SUMMED), copy=False)


def _result(card: Scorecard, *, kept_out: bool) -> exp.Select:
    inside = column(IN_AUDIENCE)
    dimensions = [(dimension.id, _whole_points(column(dimension.id))) for dimension in card.dimensions]
    scores = [
        named(cast(case((inside, whole)), "BIGINT"), name)
        for name, whole in [("score", column(TOTAL)), *dimensions]
    ]
    restarted_at: Sql = column(RESTARTED_AT) if card.restart else cast(exp.null(), "TIMESTAMP")
    labels = [("band", _band(card)), ("grade", _grade(card)), (RESTARTED_AT, restarted_at)]
    scores[1:1] = [named(label, name) for name, label in labels]
    rules = [column(rule.id) for rule in card.rules]
    choices = [column(name) for name in _choice_columns(card)]
    flags = [column(name) for name in asked_names(card)]
    why = [column(withheld.COLUMN)] if kept_out else []
    shown = [column("lead"), *scores, *rules, *choices, *flags, *why]
    return exp.select(*shown).from_(table(TOTALLED), copy=False)


def _band(card: Scorecard) -> Sql:
    return cast(case((column(IN_AUDIENCE), _reached(card.bands, column(TOTAL)))), "TEXT")


def _grade(card: Scorecard) -> Sql:
    """The label with the band of each dimension in its place; null where one of them has none."""
    if card.grades is None:
        return cast(exp.null(), "TEXT")
    bands = dict(card.grades.dimensions)
    pieces = PLACE.split(card.grades.label)  # text, dimension, text, dimension, ..., text
    parts = [
        _reached(bands[piece], _whole_points(column(piece))) if place % 2 else text(piece)
        for place, piece in enumerate(pieces)
        if place % 2 or piece
    ]
    return cast(case((column(IN_AUDIENCE), concatenated(*parts))), "TEXT")


def _reached(bands: Sequence[Band], points: Sql) -> Sql:
    """The first band, from the highest, whose bound the whole points have reached."""
    return case(*((points >= number(-(-band.bound // MILLI)), text(band.id)) for band in bands))


def _choice_columns(card: Scorecard) -> list[str]:
    return [rule.id + CHOICE for rule in card.rules if isinstance(rule, FirstOfRule)]


def _whole_points(thousandths: Sql) -> Sql:
    """Rounded half away from zero, by dividing only what is not negative: engines agree on that."""
    size = exp.IntDiv(this=exp.paren(call("ABS", thousandths) + number(MILLI // 2)), expression=number(MILLI))
    return exp.Mul(this=call("SIGN", thousandths), expression=exp.paren(size))


def _temporary(name: str, step: exp.Select) -> exp.Create:
    return exp.Create(
        this=table(name),
        kind="TABLE",
        replace=True,
        expression=step,
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )


def _text(expression: exp.Expression, dialect: str = DIALECT, **how: bool) -> str:
    return expression.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE, **how)
