"""Why a lead has its score: every rule's line, and every floor, ceiling and rounding that bit."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from sqlglot import exp

from rescore.errors import InputUnreadable
from rescore.model import MILLI
from rescore.rules import readable
from rescore.rules.card import ActivityRule, FirstOfRule, FrequencyRule, Range, Rule, Scorecard, SilenceRule
from rescore.scoring import withheld
from rescore.scoring.activity_sums import EARLIER, LATEST, PEOPLE, RESTARTED_AT
from rescore.scoring.compile import CHOICE, account_sums, activity_sums
from rescore.scoring.engine import accounts_of, score
from rescore.scoring.explanation import (
    Adjustment,
    DimensionLine,
    Explanation,
    QuarantineLine,
    RestartLine,
    RuleLine,
)
from rescore.scoring.facts import Facts
from rescore.scoring.held import Held, by_type
from rescore.scoring.local_days import LocalDays
from rescore.scoring.sql import DIALECT, column, table, text
from rescore.scoring.worth import WHOLE, worth_table

TOP = 3
"""How many reasons a CRM record gets."""


def explain(
    card: Scorecard, facts: Facts, lead: str, *, as_of: datetime, known_as_of: datetime | None = None
) -> Explanation:
    """Score one lead again and keep every line of it; the lines sum to what `score` gives.

    Raises:
        InputUnreadable: The facts hold no such lead.
    """
    with _only(facts, lead) as own:
        rows = score(card, own, as_of=as_of, known_as_of=known_as_of).to_pylist()
        if not rows:
            raise InputUnreadable("The facts hold no lead with that id; write it exactly as they do.")
        found = matching(card, own, as_of=as_of, known_as_of=known_as_of)
        without = None
        if rows[0][RESTARTED_AT] is not None:
            unrestarted = score(replace(card, restart=None), own, as_of=as_of, known_as_of=known_as_of)
            without = unrestarted.to_pylist()[0]
        kept_out = quarantined(card, own, as_of=as_of, known_as_of=known_as_of)
    explanation = explained(card, rows[0], found.get(lead, {}), as_of=as_of, without_restart=without)
    return replace(explanation, quarantine=kept_out)


def explained(
    card: Scorecard,
    row: Mapping[str, Any],
    found: Mapping[str, Any],
    *,
    as_of: datetime,
    without_restart: Mapping[str, Any] | None = None,
) -> Explanation:
    """Account for one row that `score` gave, with what `matching` found for its lead.

    `without_restart` is the row that the lead would have if nothing had restarted it: it gives the
    explanation its line about the restart.
    """
    lines = tuple(_line(card, rule, row, found) for rule in card.rules)
    dimensions = tuple(
        DimensionLine(
            id=dimension.id,
            in_total=dimension.in_total,
            points=row[dimension.id],
            adjustments=_adjustments(
                sum(line.points for line in lines if line.dimension == dimension.id), dimension.range
            ),
        )
        for dimension in card.dimensions
    )
    parts = [
        sum(line.points for line in lines if line.dimension == dimension.id)
        + sum(adjustment.points for adjustment in dimension.adjustments)
        for dimension in dimensions
        if dimension.in_total
    ]
    return Explanation(
        scorecard=card.id,
        lead=row["lead"],
        as_of=as_of,
        score=row["score"],
        band=row["band"],
        rules=lines,
        dimensions=dimensions,
        adjustments=_total_adjustments(sum(parts), card.total, row["score"]),
        grade=row["grade"],
        restart=_restart(card, row, without_restart),
        withheld=row.get(withheld.COLUMN),
    )


def quarantined(
    card: Scorecard, facts: Facts, *, as_of: datetime, known_as_of: datetime | None = None
) -> tuple[QuarantineLine, ...]:
    """What each entry of the quarantine keeps out of the facts, those that take nothing left out."""
    told: dict[str, dict[str, Held]] = defaultdict(dict)
    for entry, kind, of_type in by_type(card, facts, as_of=as_of, known_as_of=known_as_of):
        told[entry][kind] = of_type
    return tuple(
        QuarantineLine(
            entry=entry.id,
            label=entry.label,
            activities={kind: of_type.activities for kind, of_type in of_types.items()},
            latest=max(of_type.newest for of_type in of_types.values() if of_type.newest),
        )
        for entry in card.quarantine
        if (of_types := told.get(entry.id))
    )


def top_reasons(card: Scorecard, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The strongest lines of one scored row: `rule`, `label`, `points` (thousandths), at most three.

    A `first_of` goes by the label of the choice it took. What counts is the size, whichever its sign;
    between equals the rules file's order decides.
    """
    counting = [rule for rule in card.rules if row[rule.id]]
    strongest = sorted(counting, key=lambda rule: -abs(row[rule.id]))[:TOP]
    return [{"rule": rule.id, "label": _label(rule, row), "points": int(row[rule.id])} for rule in strongest]


@contextmanager
def _only(facts: Facts, lead: str) -> Iterator[Facts]:
    """The facts of one lead, copied so that the queries to come read nothing else."""
    own = replace(
        facts,
        activities=f"{facts.activities} of one",
        leads=f"{facts.leads} of one",
        whole_accounts=lambda: facts.accounts,
    )
    copies = [(facts.activities, own.activities), (facts.leads, own.leads)]
    try:
        for relation, copy in copies:
            rows = exp.select(exp.Star()).from_(table(relation)).where(column("lead").eq(text(lead)))
            name = table(copy).sql(DIALECT)
            facts.connection.execute(f"CREATE TEMP TABLE {name} AS {rows.sql(DIALECT)}")
        yield own
    finally:
        for _, copy in copies:
            facts.connection.execute(f"DROP TABLE IF EXISTS {table(copy).sql(DIALECT)}")


def matching(
    card: Scorecard, facts: Facts, *, as_of: datetime, known_as_of: datetime | None = None
) -> dict[str, Mapping[str, Any]]:
    """By lead: `<rule>` -> {age: matching activities} and `<rule> latest` -> the last of them.

    Of rules about accounts also `<rule> people`. Leads without activities are left out, and so is everybody
    when no rule looks at activities.
    """
    days = LocalDays.until(as_of, card.timezone)
    sums = activity_sums(
        card,
        days=days,
        columns=facts.columns,
        known_as_of=known_as_of,
        relations=(facts.activities, facts.leads),
    )
    queries = [sums.details()] if sums.joined else []
    if (whole := accounts_of(facts, card)) is not None:
        of_accounts = account_sums(
            card, days=days, columns=facts.columns, known_as_of=known_as_of, relations=whole
        )
        queries += [of_accounts.details(facts.leads)] if of_accounts else []
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for query in queries:
        for row in facts.connection.sql(query.sql(DIALECT)).to_arrow_table().to_pylist():
            told[row["lead"]] |= row
    return dict(told)


def _restart(
    card: Scorecard, row: Mapping[str, Any], without: Mapping[str, Any] | None
) -> RestartLine | None:
    if card.restart is None or without is None:
        return None
    return RestartLine(
        at=row[RESTARTED_AT].replace(tzinfo=UTC),
        dimensions=card.restart.dimensions,
        keep=readable.share(card.restart.keep),
        points=sum(row[rule.id] - without[rule.id] for rule in card.rules),
    )


def _line(card: Scorecard, rule: Rule, row: Mapping[str, Any], found: Mapping[str, Any]) -> RuleLine:
    line = RuleLine(
        rule=rule.id,
        label=_label(rule, row),
        dimension=rule.dimension,
        points=row[rule.id],
        before_limit=row[rule.id],
        choice=row[rule.id + CHOICE] if isinstance(rule, FirstOfRule) else None,
    )
    if not isinstance(rule, ActivityRule | FrequencyRule | SilenceRule):
        return line
    by_age, earlier = (dict(found.get(name) or []) for name in (rule.id, rule.id + EARLIER))
    latest = found.get(rule.id + LATEST)
    line = replace(
        line,
        matching=sum(by_age.values()),
        latest=latest.replace(tzinfo=UTC) if latest else None,
        people=found.get(rule.id + PEOPLE, 0) if rule.scope == "account" else None,
    )
    match rule:
        case ActivityRule():
            keep = card.restart.keep if card.restart else WHOLE
            late = {age: count - earlier.get(age, 0) for age, count in by_age.items()}
            before_limit = _unlimited(rule, late, WHOLE) + _unlimited(rule, earlier, keep)
            return replace(line, before_limit=before_limit, counted=_kept(rule, by_age))
        case FrequencyRule():
            recent = {age: count - earlier.get(age, 0) for age, count in by_age.items() if age < rule.within}
            return replace(line, counted=sum(recent.values()))
    return line


def _unlimited(rule: ActivityRule, by_age: Mapping[int, int], keep: Fraction) -> int:
    worths = worth_table(rule.points, rule.decay, keep)
    return sum(count * worths[min(max(age, 0), len(worths) - 1)] for age, count in by_age.items())


def _kept(rule: ActivityRule, by_age: Mapping[int, int]) -> int:
    if rule.limit.per_day and rule.limit.count is not None:
        return sum(min(count, rule.limit.count) for count in by_age.values())
    most = 1 if rule.limit.first else rule.limit.count
    matching = sum(by_age.values())
    return matching if most is None else min(matching, most)


def _label(rule: Rule, row: Mapping[str, Any]) -> str:
    if not isinstance(rule, FirstOfRule):
        return rule.label
    taken: int | None = row[rule.id + CHOICE]
    return rule.label if taken is None else rule.choices[taken].label


def _adjustments(points: int, bounds: Range) -> tuple[Adjustment, ...]:
    if bounds.ceiling is not None and points > bounds.ceiling:
        return (Adjustment("ceiling", bounds.ceiling, bounds.ceiling - points),)
    if bounds.floor is not None and points < bounds.floor:
        return (Adjustment("floor", bounds.floor, bounds.floor - points),)
    return ()


def _total_adjustments(points: int, bounds: Range, score: int | None) -> tuple[Adjustment, ...]:
    adjustments = _adjustments(points, bounds)
    exact = points + sum(adjustment.points for adjustment in adjustments)
    if score is None or score * MILLI == exact:
        return adjustments
    return (*adjustments, Adjustment("rounding", score * MILLI, score * MILLI - exact))
