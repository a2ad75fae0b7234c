"""What the query sums over activities: one pass, grouped by lead, with one column for each rule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlglot import exp

from rescore.rules.card import (
    ALWAYS,
    NO_DECAY,
    ActivityBased,
    ActivityRule,
    FrequencyRule,
    Restart,
    SilenceRule,
    ValueList,
)
from rescore.scoring import lists
from rescore.scoring.columns import AGE, BEFORE, PERSON, ColumnType
from rescore.scoring.conditions import holds
from rescore.scoring.existing import that_exist
from rescore.scoring.local_days import LocalDays
from rescore.scoring.moments import age, local_date
from rescore.scoring.newest import End, worth_of
from rescore.scoring.reading import Reader
from rescore.scoring.sql import (
    Sql,
    call,
    case,
    cast,
    clamped,
    coalesce,
    column,
    is_one_of,
    named,
    number,
    own,
    table,
    text,
)
from rescore.scoring.worth import worth_table

AGED, WORTH, PER_LEAD, PER_DAY, PER_DAY_SUMS = "aged", "worth", "per_lead", "per_day", "per_day_sums"
RESTARTING, RESTARTS, RESTARTED_AT = "restarting", "restarts", "restarted_at"

LATEST, EARLIER, PEOPLE = " latest", " earlier", " people"
"""`<rule> latest` is when it last matched; `<rule> earlier` is of the activities before a restart; of a rule
about accounts `<rule> people` is how many leads did it."""

_BITS = 61
"""Windows up to this many days fit, a bit a day, into one number; the day after today has a bit too."""


class ActivitySums:
    """The part of a scoring query that reads activities.

    Args:
        rules: The rules that look at activities.
        types: The columns of the relation of activities.
        days: The scoring time and the zone's days.
        relation: The relation of activities.
        known_as_of: When given (naive UTC), what became known later does not exist.
        values: The scorecard's lists.
        restart: What discounts the activities before it, if anything.
        before: The named subqueries that make the relation, if it is not one of the facts.
        earliest: No activity of it happened before (naive UTC), where that is known.
    """

    def __init__(
        self,
        rules: Sequence[ActivityBased],
        *,
        types: Mapping[str, ColumnType],
        days: LocalDays,
        relation: str,
        known_as_of: datetime | None,
        values: Sequence[ValueList],
        restart: Restart | None,
        before: Iterable[tuple[str, exp.Query]] = (),
        earliest: datetime | None = None,
    ) -> None:
        self._rules = rules
        self._lists = values
        self._restart = restart
        self._before = list(before)
        self._reader = Reader(AGED, types, days, {named.id: named for named in values})
        self._days, self._days_of_activities = days, days.since(earliest)
        self._relation = relation
        self._known_as_of = known_as_of
        self._by_day = [rule for rule in rules if isinstance(rule, ActivityRule) and rule.limit.per_day]
        self._at_once = [rule for rule in rules if rule not in self._by_day]
        decaying = [rule for rule in rules if isinstance(rule, ActivityRule) and rule.decay != NO_DECAY]
        tables = dict.fromkeys(worths for rule in decaying for worths in self._worth_tables(rule))
        self._worths = {worths: f"worth_{index}" for index, worths in enumerate(tables)}
        self._counted = {rule.id: self._count_of(rule) for rule in rules}

    @property
    def joined(self) -> list[str]:
        """The subqueries that have one row for each lead with activities."""
        there = {PER_LEAD: self._at_once, PER_DAY_SUMS: self._by_day, RESTARTS: self._restart}
        return [name for name, wanted in there.items() if wanted]

    def steps(self) -> Iterator[tuple[str, exp.Query]]:
        """The named subqueries in their order."""
        if self.joined:
            yield from self._before
        if self._restart:
            yield from self._restarts(self._restart)
        if not self._rules:
            return
        if self._worths:
            yield WORTH, self._worth_by_age()
        yield AGED, self._aged()
        if self._at_once:
            yield PER_LEAD, self._per_lead()
        if self._by_day:
            yield PER_DAY, self._per_day()
            yield PER_DAY_SUMS, self._per_day_sums()

    def details(self) -> exp.Select:
        """By lead and rule, how many activities match at each age; in `<rule> latest` the last of them.

        `<rule> earlier` is like `<rule>`, of the activities before a restart.
        """
        found: list[Sql] = [column("lead", AGED)]
        for rule in self._rules:
            matches = self._matches(rule)
            day, moment = column(AGE, AGED), column("occurred_at", AGED)
            found.append(named(call("HISTOGRAM", case((matches, day))), rule.id))
            found.append(named(exp.Max(this=case((matches, moment))), rule.id + LATEST))
            if rule.scope == "account":
                found.append(named(_different(case((matches, column(PERSON, AGED)))), rule.id + PEOPLE))
            if self._discounts(rule):
                earlier = exp.and_(matches, column(BEFORE, AGED))
                found.append(named(call("HISTOGRAM", case((earlier, day))), rule.id + EARLIER))
        details = exp.select(*found).from_(table(AGED)).group_by(column("lead", AGED))
        restarts = list(self._restarts(self._restart)) if self._restart else []
        steps = [*self._before, *restarts, (AGED, self._aged("occurred_at", PERSON))]
        for name, step in [*lists.steps(self._lists, [details, *(step for _, step in steps)]), *steps]:
            details = details.with_(exp.to_identifier(name, quoted=True), step, copy=False)
        return details

    def points(self, rule: ActivityBased) -> Sql:
        """The thousandths of one rule after its limit, from the joined subqueries."""
        found: Sql = column(rule.id, PER_DAY_SUMS if rule in self._by_day else PER_LEAD)
        match rule:
            case FrequencyRule():
                return case((found >= number(rule.at_least), number(rule.points)), otherwise=number(0))
            case SilenceRule():
                return case((found >= number(rule.none_within), number(rule.points)), otherwise=number(0))
        points = coalesce(found, number(0))  # before LEAST and GREATEST, which look past nulls
        if rule not in self._by_day and rule.decay == NO_DECAY and not self._discounts(rule):
            points = clamped(points, None, _kept(rule)) * number(rule.points)
        most = rule.limit.points
        return clamped(points, None if most is None else -most, most)

    def _worth_by_age(self) -> exp.Select:
        """One row for each age, and what an activity of each decaying rule is worth then.

        Tables end at different ages; UNNEST fills the shorter with nulls, which stand for the last entry.
        """
        rows = max(map(len, self._worths))
        tables = [named(exp.Explode(this=call("RANGE", number(rows))), AGE)]
        filled: list[Sql] = [column(AGE)]
        for worths, name in self._worths.items():
            tables.append(named(exp.Explode(this=cast(text(str([*worths])), "INT[]")), name))
            filled.append(named(coalesce(column(name), number(worths[-1])), name))
        return exp.select(*filled).from_(exp.select(*tables).subquery("tables"))

    def _aged(self, *also: str) -> exp.Select:
        """The activities that exist at the scoring time, with their age.

        Types that no rule names stay in: leaving them out costs more than it saves (docs/decisions/0003).
        """
        occurred_at = column("occurred_at", self._relation)
        aged = self._reader.selected(self._relation, self._counted.values(), "lead", "type", *also).select(
            named(age(local_date(occurred_at, self._days_of_activities), self._days), AGE), copy=False
        )
        if self._restart:
            before = coalesce(
                exp.LT(this=own(occurred_at), expression=column(RESTARTED_AT, RESTARTS)), exp.false()
            )
            same_lead = column("lead", RESTARTS).eq(column("lead", self._relation))
            aged = aged.select(named(before, BEFORE), copy=False).join(
                table(RESTARTS), on=same_lead, join_type="LEFT", copy=False
            )
        return that_exist(aged, self._relation, self._days, self._known_as_of)

    def _restarts(self, restart: Restart) -> Iterator[tuple[str, exp.Select]]:
        """For each lead that was restarted, when it last was."""
        reader = replace(self._reader, relation=RESTARTING)
        restarts = is_one_of(column("type", RESTARTING), restart.activities)
        if restart.where != ALWAYS:
            restarts = exp.and_(restarts, holds(restart.where, reader))
        lead, latest = column("lead", RESTARTING), exp.Max(this=column("occurred_at", RESTARTING))
        rows = reader.selected(self._relation, [restarts], "lead", "type", "occurred_at")
        yield RESTARTING, that_exist(rows, self._relation, self._days, self._known_as_of)
        yield (
            RESTARTS,
            exp.select(lead, named(latest, RESTARTED_AT))
            .from_(table(RESTARTING), copy=False)
            .where(restarts, copy=False)
            .group_by(lead.copy(), copy=False),
        )

    def _discounts(self, rule: ActivityBased) -> bool:
        """Whether a restart discounts what this rule counted before it."""
        return self._restart is not None and rule.dimension in self._restart.dimensions

    def _worth_tables(self, rule: ActivityRule) -> tuple[tuple[int, ...], ...]:
        """What an activity is worth by age; and, where a restart discounts it, what is kept of that."""
        whole = worth_table(rule.points, rule.decay)
        if self._restart is None or not self._discounts(rule):
            return (whole,)
        return whole, worth_table(rule.points, rule.decay, self._restart.keep)

    def _per_lead(self) -> exp.Select:
        lead = column("lead", AGED)
        sums = [named(self._counted[rule.id], rule.id) for rule in self._at_once]
        return self._with_worth(
            exp.select(lead, *sums).from_(table(AGED), copy=False).group_by(lead.copy(), copy=False), AGED
        )

    def _per_day(self) -> exp.Select:
        """For `per: day`: how many activities match on each local day."""
        lead, day = column("lead", AGED), column(AGE, AGED)
        counts = [named(self._counted[rule.id], rule.id) for rule in self._by_day]
        for rule in filter(self._discounts, self._by_day):
            earlier = exp.and_(self._matches(rule), column(BEFORE, AGED))
            counts.append(named(_count(earlier), rule.id + EARLIER))
        return (
            exp.select(lead, day, *counts)
            .from_(table(AGED), copy=False)
            .group_by(lead.copy(), day.copy(), copy=False)
        )

    def _per_day_sums(self) -> exp.Select:
        """All activities of one day are worth the same, so the newest K of a day are any K of them.

        On the day of a restart those before it are the older ones.
        """
        lead = column("lead", PER_DAY)
        sums = []
        for rule in self._by_day:
            kept = clamped(column(rule.id, PER_DAY), None, rule.limit.count)
            whole, *discounted = self._worth(rule)
            worth: Sql = kept * whole
            if discounted:
                places = exp.paren(number(rule.limit.count or 0) - kept.copy())
                worth += call("LEAST", column(rule.id + EARLIER, PER_DAY), places) * discounted[0]
            sums.append(named(exp.Sum(this=worth), rule.id))
        return self._with_worth(
            exp.select(lead, *sums).from_(table(PER_DAY), copy=False).group_by(lead.copy(), copy=False),
            PER_DAY,
        )

    def _with_worth(self, query: exp.Select, ages: str) -> exp.Select:
        if not any(found.table == WORTH for found in query.find_all(exp.Column)):
            return query
        oldest = max(map(len, self._worths)) - 1
        return query.join(
            table(WORTH), on=column(AGE, WORTH).eq(clamped(column(AGE, ages), 0, oldest)), copy=False
        )

    def _count_of(self, rule: ActivityBased) -> Sql:
        """What is gathered of the matching activities of one lead, or of one of its days."""
        matches: Sql = self._matches(rule)
        day: Sql = column(AGE, AGED)
        if self._discounts(rule) and not (isinstance(rule, ActivityRule) and not rule.limit.per_day):
            matches = exp.and_(matches, exp.not_(column(BEFORE, AGED)))
        match rule:
            case FrequencyRule():
                return self._frequency(rule, exp.and_(matches, day < number(rule.within)))
            case SilenceRule():
                return exp.Min(this=case((matches, day)))
        if rule.limit.per_day or (rule.decay == NO_DECAY and not self._discounts(rule)):
            return _count(matches)
        whole, *discounted = self._worth(rule)
        worth, kept = case((matches, whole)), _kept(rule)
        end = End.OLDEST if rule.limit.first else End.NEWEST
        if discounted:
            before = column(BEFORE, AGED)
            worth = case((matches, case((before, discounted[0]), otherwise=whole)))
            # of one day, what was before the restart is the older half
            day = exp.paren(day * number(2) + cast(before, "INT"))
        if kept is None:
            return exp.Sum(this=worth)
        return worth_of(kept, end, worth, day, None if discounted else worth_table(rule.points, rule.decay))

    def _frequency(self, rule: FrequencyRule, recent: Sql) -> Sql:
        day = column(AGE, AGED)
        if rule.measure == "count":
            return _count(recent)
        if rule.measure == "days" and rule.within <= _BITS:
            bit = exp.BitwiseLeftShift(this=cast(number(1), "BIGINT"), expression=exp.paren(day + number(1)))
            return call("BIT_COUNT", call("BIT_OR", case((recent, bit))))
        if rule.measure == "people":
            return _different(case((recent, column(PERSON, AGED))))
        value = day if rule.field is None else self._reader.distinct(rule.field)
        return _different(case((recent, value)))

    def _matches(self, rule: ActivityBased) -> Sql:
        is_type = is_one_of(column("type", AGED), rule.activities)
        return is_type if rule.where == ALWAYS else exp.and_(is_type, holds(rule.where, self._reader))

    def _worth(self, rule: ActivityRule) -> list[Sql]:
        """What an activity is worth, and what a restart leaves of it where it discounts this rule."""
        tables = self._worth_tables(rule)
        if rule.decay == NO_DECAY:
            return [number(worths[0]) for worths in tables]
        return [column(self._worths[worths], WORTH) for worths in tables]


def _kept(rule: ActivityRule) -> int | None:
    """How many activities the limit keeps of all; None for no such limit."""
    return 1 if rule.limit.first else rule.limit.count


def _count(condition: Sql) -> Sql:
    return exp.Count(this=case((condition, number(1))))


def _different(values: Sql) -> Sql:
    return exp.Count(this=exp.Distinct(expressions=[values]))
