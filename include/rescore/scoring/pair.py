"""Two versions of a scorecard in one query: what both have in common is read and summed once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa
from sqlglot import exp

from rescore.rules.card import ALWAYS, FirstOfRule, LeadRule, Rule, Scorecard
from rescore.rules.fingerprint import canonical
from rescore.scoring.columns import Columns
from rescore.scoring.compile import IN_AUDIENCE, RULED, ScoringQuery, compile_scorecard
from rescore.scoring.engine import accounts_of, prepared, scored_names, write_parts
from rescore.scoring.facts import Facts
from rescore.scoring.sql import Sql, column, number, table
from rescore.scoring.withheld import of_those_that_may_be_scored

OLD = "old "
"""Columns of the older version are named with this before them; no id holds a space."""

Compiled = Callable[[Scorecard], ScoringQuery]
"""A card's query at one moment, over one pair of relations."""

_WORDS = frozenset({"id", "label", "line", "dimension"})


@dataclass(frozen=True, slots=True)
class PairQuery:
    """One query with the columns that `score` gives for the new card, and `old ...` beside them.

    Those are `old score`, `old band`, `old grade` with grades, and each dimension and rule of the old card;
    `old_rules` maps its rules to their columns, which are the new card's own where a rule means the same.
    What a `first_of` took is in `<column>__choice` beside them.
    """

    query: ScoringQuery
    old_rules: Mapping[str, str]


def score_pair(
    old: Scorecard, new: Scorecard, facts: Facts, *, as_of: datetime
) -> tuple[pa.Table, Mapping[str, str]]:
    """One row per lead with the columns of `PairQuery`, and the columns of the old card's rules."""
    pair = pair_query(
        old,
        new,
        as_of=as_of,
        columns=facts.columns,
        activities=facts.activities,
        leads=facts.leads,
        accounts=accounts_of(facts, old, new),
    )
    return facts.connection.sql(prepared(pair.query, facts)).to_arrow_table(), pair.old_rules


def score_pair_to_parquet(
    old: Scorecard, new: Scorecard, facts: Facts, *, as_of: datetime, path: str
) -> Mapping[str, str]:
    """Write what `score_pair` gives to a Parquet file, part by part; the columns of the old card's rules."""
    activities, leads = scored_names(facts)
    pair = pair_query(
        old,
        new,
        as_of=as_of,
        columns=facts.columns,
        activities=activities,
        leads=leads,
        accounts=accounts_of(facts, old, new),
    )
    write_parts(facts, prepared(pair.query, facts), path)
    return pair.old_rules


def pair_query(
    old: Scorecard,
    new: Scorecard,
    *,
    as_of: datetime,
    columns: Columns,
    activities: str,
    leads: str,
    accounts: tuple[str, str] | None = None,
    row_by_row: bool = False,
) -> PairQuery:
    """Score every lead under both cards.

    Cards that disagree about what a day is, what a list holds, where a lead restarts or what is in quarantine
    share nothing but the query: each reads the facts for itself. The numbers are the same either way.

    Args:
        old: The card in force.
        new: The card that may follow it.
        as_of: The scoring time (aware).
        columns: What the two relations of facts hold.
        activities: The name of the relation of activities.
        leads: The name of the relation of leads.
        accounts: As `compile_scorecard` has it.
        row_by_row: Likewise; then both cards must be of one zone.
    """
    compiled = partial(
        compile_scorecard,
        as_of=as_of,
        columns=columns,
        activities=activities,
        leads=leads,
        accounts=accounts,
        row_by_row=row_by_row,
    )
    shared = old.timezone.key == new.timezone.key and old.lists == new.lists
    shared = shared and canonical(old.quarantine) == canonical(new.quarantine)
    if shared and old.restart is None and new.restart is None:
        return _in_one_pass(old, new, compiled, columns)
    return _in_two_passes(old, new, compiled)


def _in_one_pass(old: Scorecard, new: Scorecard, compiled: Compiled, columns: Columns) -> PairQuery:
    """The new card's query, with the old card's own rules added, and its sums and bands on top."""
    same = {_meaning(rule): rule.id for rule in new.rules}
    old_rules = {rule.id: same.get(_meaning(rule), OLD + rule.id) for rule in old.rules}
    own = [
        replace(rule, id=OLD + rule.id, dimension=OLD + rule.dimension)
        for rule in old.rules
        if old_rules[rule.id] == OLD + rule.id
    ]
    audience = of_those_that_may_be_scored(old.audience, columns.leads)
    inside = LeadRule(OLD + IN_AUDIENCE, "", "", 0, audience, points=1)
    both = replace(new, rules=(*new.rules, *own, inside))
    query = compiled(both)
    expression = query.expression
    steps, result = _projection(old, compiled)
    before = _source(expression)
    for name, step in steps:
        renamed = _as_old(step, old_rules)
        renamed.set("from_", exp.From(this=table(before)))
        expression.with_(exp.to_identifier(OLD + name, quoted=True), renamed, copy=False)
        before = OLD + name
    shown = _shown(old)
    theirs = [found for found in result.expressions if found.alias_or_name in shown]
    ours = [found for found in expression.expressions if found.alias_or_name != OLD + IN_AUDIENCE]
    expression.set("expressions", [*ours, *(_as_old(found, old_rules) for found in theirs)])
    expression.set("from_", exp.From(this=table(before)))
    return PairQuery(query, old_rules)


def _in_two_passes(old: Scorecard, new: Scorecard, compiled: Compiled) -> PairQuery:
    """Both queries whole, joined by lead."""
    queries = [compiled(card) for card in (old, new)]
    theirs, ours = (query.expression.subquery(side) for query, side in zip(queries, ("o", "n"), strict=True))
    old_rules = {rule.id: OLD + rule.id for rule in old.rules}
    shown = [*_shown(old), *old_rules, *queries[0].choice_columns]
    there = {found.alias_or_name for found in queries[0].expression.expressions}
    chosen = [column(name, "o").as_(OLD + name, quoted=True) for name in shown if name in there]
    lead = exp.EQ(this=column("lead", "n"), expression=column("lead", "o"))
    joined = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier("n")), *chosen).from_(ours)
    return PairQuery(replace(queries[1], expression=joined.join(theirs, on=lead), tables=()), old_rules)


def _projection(card: Scorecard, compiled: Compiled) -> tuple[list[tuple[str, exp.Select]], exp.Select]:
    """What a card's query makes of the points of its rules: the named steps after them, and the result."""
    unread: tuple[Rule, ...] = tuple(
        LeadRule(rule.id, rule.label, rule.dimension, rule.line, ALWAYS, points=0) for rule in card.rules
    )
    bare = replace(card, rules=unread, audience=ALWAYS, automations=(), quarantine=())
    expression = compiled(bare).expression
    steps = [(step.alias, step.this) for step in expression.args["with_"].expressions]
    begin = [name for name, _ in steps].index(RULED) + 1
    return steps[begin:], expression


def _as_old(expression: Sql, rules: Mapping[str, str]) -> Any:
    """The same over the columns of the old side."""

    def renamed(node: Sql) -> Sql:
        if isinstance(node, exp.Alias):
            node.set("alias", exp.to_identifier(OLD + node.alias, quoted=True))
        elif isinstance(node, exp.Column) and node.name == IN_AUDIENCE:
            return exp.paren(column(OLD + IN_AUDIENCE).eq(number(1)))
        elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return column(rules.get(node.name, OLD + node.name))
        return node

    return expression.transform(renamed)


def _source(query: exp.Select) -> str:
    return str(query.args["from_"].this.name)


def _shown(card: Scorecard) -> list[str]:
    return ["score", "band", "grade", *(dimension.id for dimension in card.dimensions)]


def _meaning(rule: Rule) -> tuple[Any, ...]:
    """What decides a rule's points: everything but how it is called and where it counts."""
    if isinstance(rule, FirstOfRule):
        return FirstOfRule, tuple((choice.when, choice.points) for choice in rule.choices)
    return type(rule), *(getattr(rule, field.name) for field in fields(rule) if field.name not in _WORDS)
