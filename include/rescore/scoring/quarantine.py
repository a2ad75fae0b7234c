"""The quarantine: what is left of the activities when those that no person did count for nothing.

Only activities of the types that entries name are looked at; the others stream through. What an entry takes
depends on all that exist of a lead, not on what other entries leave, so one pass judges for all of them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from sqlglot import exp

from rescore.rules.card import ALWAYS, Burst, QuarantineEntry, SoonAfter, ValueList
from rescore.scoring import lists
from rescore.scoring.columns import QUARANTINE, Columns
from rescore.scoring.conditions import holds
from rescore.scoring.existing import that_exist
from rescore.scoring.local_days import LocalDays
from rescore.scoring.reading import Reader
from rescore.scoring.sql import Sql, case, coalesce, column, is_one_of, named, number, table, text
from rescore.withheld import RELEASED_HERE

LEFT = "left"
"""What the query calls the activities that are left."""

WATCHED, MATCHED, JUDGED = "watched", "matched", "judged"
PEOPLE, RELEASED = "people who may be released", "released"


class Quarantine:
    """The part of a scoring query that keeps activities out.

    Args:
        entries: What is kept out; without any, nothing is.
        columns: What the two relations hold.
        days: The scoring time and the zone's days.
        relations: The relations of activities and of leads.
        known_as_of: When given (naive UTC), what became known later does not exist.
        values: The scorecard's lists.
    """

    def __init__(
        self,
        entries: Sequence[QuarantineEntry],
        *,
        columns: Columns,
        days: LocalDays,
        relations: tuple[str, str],
        known_as_of: datetime | None,
        values: Sequence[ValueList],
    ) -> None:
        self._entries, self._columns = entries, columns
        self._activities, self._leads = relations
        self._days, self._known_as_of = days, known_as_of
        self._reader = Reader(WATCHED, columns.activities, days, {named.id: named for named in values})
        self._lists, self._fields = values, sorted(columns.activities)

    @property
    def left(self) -> str:
        """The relation of the activities that count."""
        return LEFT if self._entries else self._activities

    def steps(self) -> Iterator[tuple[str, exp.Query]]:
        """The named subqueries that make `left`, in their order."""
        if not self._entries:
            return
        yield from self._judging()
        others = exp.not_(is_one_of(column("type", self._activities), self._types()))
        streaming = exp.select(*self._of(self._activities)).from_(table(self._activities), copy=False)
        judged = exp.select(*self._of(JUDGED)).from_(table(JUDGED), copy=False)
        left = judged.where(exp.not_(self._taken_by_any()), copy=False)
        yield LEFT, exp.union(streaming.where(others, copy=False), left, distinct=False, copy=False)

    def taken(self, *columns: str) -> exp.Select:
        """The query of these columns of the activities that are kept out, each activity once."""
        rows = exp.select(*(column(name, JUDGED) for name in columns)).from_(table(JUDGED))
        return self._whole(rows.where(self._taken_by_any()))

    def taken_by_each(self, *columns: str) -> exp.Select:
        """Likewise, with the entry's id in `entry`; what several entries take is there for each of them."""
        found: list[exp.Query] = []
        for entry in self._entries:
            shown = [named(text(entry.id), "entry"), *(column(name, JUDGED) for name in columns)]
            found.append(exp.select(*shown).from_(table(JUDGED)).where(column(_taken(entry), JUDGED)))
        each = found[0] if len(found) == 1 else exp.union(*found, distinct=False)
        return self._whole(exp.select(exp.Star()).from_(each.subquery("each")))

    def _whole(self, query: exp.Select) -> exp.Select:
        steps = list(self._judging())
        for name, step in [*lists.steps(self._lists, [step for _, step in steps]), *steps]:
            query = query.with_(exp.to_identifier(name, quoted=True), step, copy=False)
        return query

    def _judging(self) -> Iterator[tuple[str, exp.Query]]:
        """Each activity that is looked at, and of every entry whether it takes it."""
        may_be_released = RELEASED_HERE in self._columns.leads
        if may_be_released:
            yield from self._released()
        matches = {entry: self._matches(entry, free=may_be_released) for entry in self._entries}
        found = {entry: self._found(entry, matches[entry]) for entry in self._entries if entry.pattern}
        rows = self._reader.selected(
            self._activities, [*matches.values(), *found.values()], *self._fields
        ).where(is_one_of(column("type", self._activities), self._types()), copy=False)
        yield WATCHED, that_exist(rows, self._activities, self._days, self._known_as_of)
        told = [
            *(named(coalesce(one, exp.false()), _matching(entry)) for entry, one in matches.items()),
            *(named(one, _count(entry)) for entry, one in found.items()),
        ]
        yield MATCHED, exp.select(_all_of(WATCHED), *told).from_(table(WATCHED), copy=False)
        taken = [named(_takes(entry), _taken(entry)) for entry in self._entries]
        yield JUDGED, exp.select(_all_of(MATCHED), *taken).from_(table(MATCHED), copy=False)

    def _released(self) -> Iterator[tuple[str, exp.Query]]:
        """The leads of whom a person said that they are none of those whose clicks these are."""
        people = Reader(PEOPLE, self._columns.leads, self._days)
        flag = people.flag(RELEASED_HERE)
        yield PEOPLE, people.selected(self._leads, [flag], "lead")
        yield RELEASED, exp.select(people.raw("lead")).from_(table(PEOPLE)).where(flag)

    def _matches(self, entry: QuarantineEntry, *, free: bool) -> Sql:
        parts = [is_one_of(column("type", WATCHED), entry.activities)]
        if entry.where != ALWAYS:
            parts.append(holds(entry.where, self._reader))
        if free:
            released = exp.select(column("lead")).from_(table(RELEASED))
            parts.append(exp.not_(column("lead", WATCHED).isin(query=released)))
        return exp.and_(*parts)

    def _found(self, entry: QuarantineEntry, matches: Sql) -> Sql:
        """What the span that begins with an activity holds; or how many others came soon before it."""
        match entry.pattern:
            case Burst(within=within, field=None):
                return _over(exp.Count(this=case((matches.copy(), number(1)))), "after", within)
            case Burst(within=within, field=str(field)):
                value = case((matches.copy(), self._reader.distinct(field)))
                return _over(exp.Count(this=exp.Distinct(expressions=[value])), "after", within)
            case SoonAfter(activities=types, within=within):
                other = is_one_of(column("type", WATCHED), types)
                return _over(exp.Count(this=case((other, number(1)))), "before", within)
        raise AssertionError(f"{entry.pattern} is no pattern")

    def _types(self) -> list[str]:
        """All types that are looked at, in the order of the file."""
        types = [name for entry in self._entries for name in entry.activities]
        for entry in self._entries:
            if isinstance(entry.pattern, SoonAfter):
                types += entry.pattern.activities
        return list(dict.fromkeys(types))

    def _of(self, relation: str) -> list[Sql]:
        return [column(name, relation) for name in self._fields]

    def _taken_by_any(self) -> Sql:
        return exp.or_(*(column(_taken(entry), JUDGED) for entry in self._entries))


def _all_of(relation: str) -> exp.Column:
    return exp.Column(this=exp.Star(), table=exp.to_identifier(relation, quoted=True))


def _takes(entry: QuarantineEntry) -> Sql:
    """Whether an entry takes an activity.

    A span that is full and holds the activity can begin with the first of its activities: so one of those of
    the time before, or the activity itself, begins a span that is full.
    """
    matches, found = column(_matching(entry), MATCHED), column(_count(entry), MATCHED)
    match entry.pattern:
        case Burst(count=count, within=within):
            most = _over(exp.Max(this=found), "before", within, of=MATCHED)
            return exp.and_(matches, most >= number(count))
        case SoonAfter():
            return exp.and_(matches, found > number(0))
    return matches


def _over(what: Sql, side: Literal["before", "after"], seconds: int, *, of: str = WATCHED) -> exp.Window:
    """An aggregate of the lead's activities at one time and up to so many seconds before or after it."""
    length = exp.Interval(this=text(str(seconds)), unit=exp.var("SECONDS"))
    now = "CURRENT ROW"  # in a RANGE it is all rows of that instant
    bounds = {"start": length, "start_side": "PRECEDING", "end": now}
    if side == "after":
        bounds = {"start": now, "end": length, "end_side": "FOLLOWING"}
    return exp.Window(
        this=what,
        partition_by=[column("lead", of)],
        order=exp.Order(expressions=[exp.Ordered(this=column("occurred_at", of), nulls_first=False)]),
        spec=exp.WindowSpec(kind="RANGE", **bounds),
        over="OVER",
    )


def _matching(entry: QuarantineEntry) -> str:
    return f"{QUARANTINE}{entry.id} matches"


def _count(entry: QuarantineEntry) -> str:
    return f"{QUARANTINE}{entry.id} count"


def _taken(entry: QuarantineEntry) -> str:
    return f"{QUARANTINE}{entry.id} takes"
