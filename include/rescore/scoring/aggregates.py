"""What the query sums over activities: one pass, grouped by lead, with one column or two for each rule."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from sqlglot import exp

from rescore.rules.card import ActivityBased, ActivityRule, Decay, FrequencyRule, SilenceRule
from rescore.scoring.columns import AGE
from rescore.scoring.conditions import holds
from rescore.scoring.reading import Reader
from rescore.scoring.sql import call, case, cast, column, number, text
from rescore.scoring.worth import worth_table

AGED, WORTH, PER_LEAD, PER_DAY, PER_DAY_SUMS = "aged", "worth", "per_lead", "per_day", "per_day_sums"

_AGE_STEP = 2**40
"""Ages times this, plus a worth, sort by age; no single worth comes near it."""


class ActivitySums:
    """The part of a scoring query that reads activities.

    All activities of one rule have the same points, so what one is worth depends on its age alone.
    That makes `first` the largest age and the newest K the K smallest, and ties cannot matter.
    """

    def __init__(
        self, rules: Sequence[ActivityBased], reader: Reader, *, known_as_of: datetime | None, relation: str
    ) -> None:
        self._rules = rules
        self._reader = reader
        self._aged = Reader(AGED, reader.types, reader.days)
        self._known_as_of = known_as_of
        self._relation = relation
        self._per_day = [rule for rule in rules if isinstance(rule, ActivityRule) and _is_per_day(rule)]
        self._in_one_pass = [rule for rule in rules if rule not in self._per_day]
        priced = [rule for rule in rules if isinstance(rule, ActivityRule) and rule.decay != Decay()]
        tables = dict.fromkeys(worth_table(rule.points, rule.decay) for rule in priced)
        self._worths = {table: f"worth_{index}" for index, table in enumerate(tables)}
        self.joined = ([PER_LEAD] if self._in_one_pass else []) + ([PER_DAY_SUMS] if self._per_day else [])

    def steps(self) -> Iterator[tuple[str, exp.Select]]:
        """The named subqueries, in order; those in `joined` have one row for each lead with activities."""
        if not self._rules:
            return
        if self._worths:
            yield WORTH, self._worth()
        yield AGED, self._aged_activities()
        if self._in_one_pass:
            yield PER_LEAD, self._sums()
        if self._per_day:
            yield PER_DAY, self._day_counts()
            yield PER_DAY_SUMS, self._day_sums()

    def points(self, rule: ActivityBased) -> exp.Expression:
        """The thousandths of one rule, read from its row of the joined subqueries; 0 without activities."""
        found = column(rule.id, PER_DAY_SUMS if rule in self._per_day else PER_LEAD)
        match rule:
            case FrequencyRule():
                return case((found >= number(rule.at_least), number(rule.points)), otherwise=number(0))
            case SilenceRule():
                return case((found >= number(rule.none_within), number(rule.points)), otherwise=number(0))
        points = exp.func("COALESCE", self._limited(rule, found), number(0))
        if rule.limit.points is not None:
            points = call(
                "GREATEST", call("LEAST", points, number(rule.limit.points)), number(-rule.limit.points)
            )
        return points

    def _limited(self, rule: ActivityRule, found: exp.Expression) -> exp.Expression:
        if rule.decay == Decay() and rule not in self._per_day:
            count = _kept(rule)
            return (call("LEAST", found, number(count)) if count else found) * number(rule.points)
        return found

    def _worth(self) -> exp.Select:
        oldest = max(map(len, self._worths))
        columns = [exp.Explode(this=call("RANGE", number(oldest))).as_(AGE, quoted=True)]
        for table, name in self._worths.items():
            filled = [*table, *[table[-1]] * (oldest - len(table))]
            columns.append(exp.Explode(this=cast(text(str(filled)), "BIGINT[]")).as_(name, quoted=True))
        return exp.select(*columns)

    def _aged_activities(self) -> exp.Select:
        """The activities that exist at the scoring time, with their age and the columns that rules read."""
        moment = self._reader.raw("occurred_at")
        types = sorted({type_name for rule in self._rules for type_name in rule.activities})
        source = exp.Table(this=exp.to_identifier(self._relation, quoted=True))
        aged = (
            exp.select(*(self._reader.raw(name) for name in self._used()))
            .select(self._reader.age(self._reader.local_date(moment)).as_(AGE, quoted=True))
            .from_(exp.alias_(source, "activities", table=True, quoted=True))
            .where(moment <= _timestamp(self._reader.days.as_of))
            .where(self._reader.raw("type").isin(*map(text, types)))
        )
        if self._known_as_of:
            aged = aged.where(self._reader.raw("known_at") <= _timestamp(self._known_as_of))
        return aged

    def _used(self) -> list[str]:
        rules = exp.Tuple(expressions=[self._sum(rule) for rule in self._rules])
        names = {found.name for found in rules.find_all(exp.Column) if found.table == AGED}
        return sorted({"lead", "type", *names} - {AGE})

    def _sums(self) -> exp.Select:
        sums = (self._sum(rule).as_(rule.id, quoted=True) for rule in self._in_one_pass)
        lead = column("lead", AGED)
        per_lead = exp.select(lead, *sums).from_(AGED).group_by(lead.copy())
        needs_worth = any(
            isinstance(rule, ActivityRule) and rule.decay != Decay() for rule in self._in_one_pass
        )
        return self._with_worth(per_lead) if needs_worth else per_lead

    def _with_worth(self, query: exp.Select, aged: str = AGED) -> exp.Select:
        oldest = number(max(map(len, self._worths)) - 1)
        age = call("LEAST", call("GREATEST", column(AGE, aged), number(0)), oldest)
        return query.join(exp.to_table(WORTH), on=column(AGE, WORTH).eq(age))

    def _sum(self, rule: ActivityBased) -> exp.Expression:
        age = column(AGE, AGED)
        match rule:
            case FrequencyRule():
                return self._frequency(rule)
            case SilenceRule():
                return exp.Min(this=case((self._matches(rule), age)))
        if rule.decay == Decay():
            return exp.Count(this=case((self._matches(rule), number(1))))
        table = worth_table(rule.points, rule.decay)
        worth = case((self._matches(rule), column(self._worths[table], WORTH)))
        count = _kept(rule)
        if count is None:
            return exp.Sum(this=worth)
        return _sum_of(count, "oldest" if rule.limit.first else "newest", worth, table, age)

    def _frequency(self, rule: FrequencyRule) -> exp.Expression:
        recent = exp.and_(column(AGE, AGED) < number(rule.within), self._matches(rule))
        match rule.measure:
            case "count":
                return exp.Count(this=case((recent, number(1))))
            case "days":
                return exp.Count(this=exp.Distinct(expressions=[case((recent, column(AGE, AGED)))]))
        assert rule.field is not None  # noqa: S101  the card's contract for `distinct`
        return exp.Count(this=exp.Distinct(expressions=[case((recent, self._aged.distinct(rule.field)))]))

    def _matches(self, rule: ActivityBased) -> exp.Expression:
        kind = column("type", AGED)
        types = [text(type_name) for type_name in rule.activities]
        is_type = kind.eq(types[0]) if len(types) == 1 else kind.isin(*types)
        return exp.and_(is_type, holds(rule.where, self._aged))

    def _day_counts(self) -> exp.Select:
        """For `per: day`: how many activities match on each local day of a lead."""
        lead, age = column("lead", AGED), column(AGE, AGED)
        counts = (
            exp.Count(this=case((self._matches(rule), number(1)))).as_(rule.id, quoted=True)
            for rule in self._per_day
        )
        return exp.select(lead, age, *counts).from_(AGED).group_by(lead.copy(), age.copy())

    def _day_sums(self) -> exp.Select:
        """All activities of one day are worth the same, so the newest K of a day are any K of them."""
        lead = column("lead", PER_DAY)
        sums = (exp.Sum(this=self._worth_of_day(rule)).as_(rule.id, quoted=True) for rule in self._per_day)
        per_lead = exp.select(lead, *sums).from_(PER_DAY).group_by(lead.copy())
        has_decay = any(rule.decay != Decay() for rule in self._per_day)
        return self._with_worth(per_lead, PER_DAY) if has_decay else per_lead

    def _worth_of_day(self, rule: ActivityRule) -> exp.Expression:
        kept = call("LEAST", column(rule.id, PER_DAY), number(rule.limit.count or 0))
        if rule.decay == Decay():
            return kept * number(rule.points)
        return kept * column(self._worths[worth_table(rule.points, rule.decay)], WORTH)


def _is_per_day(rule: ActivityRule) -> bool:
    return rule.limit.per_day and rule.limit.count is not None and not rule.limit.first


def _kept(rule: ActivityRule) -> int | None:
    """How many activities the limit keeps of all; None for no such limit."""
    return 1 if rule.limit.first else rule.limit.count


def _sum_of(
    count: int,
    end: Literal["newest", "oldest"],
    worth: exp.Expression,
    table: Sequence[int],
    age: exp.Expression,
) -> exp.Expression:
    """The summed worth of the `count` newest (or oldest) activities.

    Where worth only falls with age (or, for negative points, only rises) the newest are simply the
    ones worth most (or least). Steps may go up and down: there the age leads the worth in one number.
    """
    falls = all(newer >= older for newer, older in pairwise(table))
    rises = all(newer <= older for newer, older in pairwise(table))
    if falls or rises:
        return _extreme("MAX" if falls == (end == "newest") else "MIN", worth, count)
    side = "MIN" if end == "newest" else "MAX"
    matching_age = case((worth.copy().is_(exp.null()).not_(), age))
    keyed = _extreme(side, exp.paren(matching_age) * number(_AGE_STEP) + worth, count)
    return exp.Sub(this=keyed, expression=_extreme(side, matching_age, count) * number(_AGE_STEP))


def _extreme(side: str, value: exp.Expression, count: int) -> exp.Expression:
    return call(side, value) if count == 1 else call("LIST_SUM", call(side, value, number(count)))


def _timestamp(moment: datetime) -> exp.Expression:
    return cast(text(moment.isoformat(" ")), "TIMESTAMP")
