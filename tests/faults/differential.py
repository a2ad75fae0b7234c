"""Random rule sets over random leads: the engine against a slow, obvious scorer, and on into the ledger.

Hypothesis draws rule sets, moments and a few histories that the rules can bite on; of these, leads are put
together by chance until there are enough. `tests/scoring` does the same with fewer leads, and shrinks what it
finds.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from rescore.lake.reading import keep, texts
from rescore.ledger.migrate import migrate
from rescore.ledger.promotion import promotion
from rescore.ledger.scores import stage
from rescore.ledger.transaction import Ledger
from rescore.pipeline.deltas import compare
from rescore.rules.card import Scorecard
from rescore.scoring.engine import score
from rescore.scoring.facts import facts_from_tables
from tests.faults import homes
from tests.faults.report import Layer, Say
from tests.ledger.world import World, a_card
from tests.scoring.random_cards import histories, scorecards, scoring_times, tables
from tests.support import databases
from tests.support.reference import account_of, reference_scores

SEED = 20261102
RULE_SETS, LEADS = 2_000, 200
SHORT_RULE_SETS, SHORT_LEADS = 10, 50
HISTORIES = 4
"""Drawn for each rule set; each has up to three leads."""

PROMOTED = {"sqlite": 40, "postgresql": 100}
"""One in so many rule sets goes through a ledger of that kind, too."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """One rule set, and whom it is to score as of when."""

    number: int
    card: Scorecard
    as_of: datetime
    leads: list[Row]
    activities: list[Row]

    def scored(self, leads: Sequence[Row], activities: Sequence[Row]) -> list[Row]:
        """By the engine, in the order of their keys."""
        facts = facts_from_tables(*tables(list(leads), list(activities)))
        return sorted(score(self.card, facts, as_of=self.as_of).to_pylist(), key=_key)

    def scored_in_parts(self, parts: Sequence[Sequence[Row]]) -> list[Row]:
        """The same, these leads at a time; rules about accounts are told of everybody."""
        facts = facts_from_tables(*tables(self.leads, self.activities))
        rows: list[Row] = []
        for part in parts:
            keep(facts.connection, "part", pa.table({"lead": texts(lead["lead"] for lead in part)}))
            for relation in ("activities", "leads"):
                mine = f"FROM {relation} SEMI JOIN part USING (lead)"
                facts.connection.execute(f"CREATE OR REPLACE TEMP VIEW {relation}_of_part AS {mine}")
            few = replace(
                facts,
                activities="activities_of_part",
                leads="leads_of_part",
                whole_accounts=lambda: ("activities", "leads"),
            )
            rows += score(self.card, few, as_of=self.as_of).to_pylist()
        return sorted(rows, key=_key)

    def problems(self) -> Iterator[str]:
        """Where the engine says something else than the reference, or than itself in another order."""
        expected = reference_scores(self.card, self.leads, self.activities, as_of=self.as_of)
        expected.sort(key=_key)
        whole = self.scored(self.leads, self.activities)
        yield from _differences("the engine", whole, expected)
        chance = random.Random(self.number)
        match self.number % 3:
            case 0:
                mixed = self.scored(_mixed(self.leads, chance), _mixed(self.activities, chance))
                yield from _differences("another order of the input", mixed, expected)
            case 1:
                size = chance.choice([1, 7, 64]) if len(self.leads) <= 64 else 64
                parts = [self.leads[at : at + size] for at in range(0, len(self.leads), size)]
                yield from _differences("scoring in parts", self.scored_in_parts(parts), expected)
            case _:
                yield from _differences("an incremental run", self._incremental(chance), expected)

    def _incremental(self, chance: random.Random) -> list[Row]:
        """Everybody by what was there first; then whoever got something more, and their colleagues, again."""
        ids = sorted({activity["activity_id"] for activity in self.activities})
        later = set(chance.sample(ids, len(ids) // 3))
        first = [activity for activity in self.activities if activity["activity_id"] not in later]
        known = {row["lead"]: row for row in self.scored(self.leads, first)}
        dirty = {row["lead"] for row in self.activities if row["activity_id"] in later}
        moved = {account_of(lead) for lead in self.leads if lead["lead"] in dirty} - {""}
        again = [lead for lead in self.leads if lead["lead"] in dirty or account_of(lead) in moved]
        known |= {row["lead"]: row for row in self.scored_in_parts([again])}
        return sorted(known.values(), key=_key)

    def problems_in(self, ledger: Ledger) -> Iterator[str]:
        """Where the scores of record are others, once they are promoted in chunks."""
        databases.empty(ledger)
        world = World(ledger, card=a_card())
        world.adopt()
        card = replace(self.card, id=world.card.id, automations=())
        results = score(card, facts_from_tables(*tables(self.leads, self.activities)), as_of=self.as_of)
        run = world.start("initial", as_of=self.as_of)
        with ledger.transaction() as connection:
            committed = stage.committed(connection, card.id)
            stage.stage(connection, run, compare(card, results, committed))
        promotion.promote(ledger, run, card, at=world.now, chunk=64)
        record = world.rows(stage.tables.score, "lead", "score", "band", "grade")
        expected = reference_scores(card, self.leads, self.activities, as_of=self.as_of)
        wanted = [tuple(row[name] for name in ("lead", "score", "band", "grade")) for row in expected]
        if record != sorted(wanted, key=repr):
            yield f"{len(set(record) ^ set(wanted))} scores of record in {ledger.dialect} are others"


def _key(row: Row) -> str:
    lead: str = row["lead"]
    return lead


def _mixed(rows: Sequence[Row], chance: random.Random) -> list[Row]:
    return chance.sample(rows, len(rows))


def _differences(what: str, found: Sequence[Row], expected: Sequence[Row]) -> Iterator[str]:
    if list(found) == list(expected):
        return
    columns = Counter(
        name
        for mine, theirs in zip(found, expected, strict=False)
        for name in theirs
        if mine.get(name) != theirs[name]
    )
    yield f"{what} differs in {dict(columns) or 'who is there'}"


@st.composite
def rule_sets(draw: st.DrawFn) -> tuple[Scorecard, datetime, list[tuple[list[Row], list[Row]]]]:
    """A scorecard, when it scores, and a few histories near that moment."""
    card, as_of = draw(scorecards()), draw(scoring_times())
    return card, as_of, [draw(histories(card.timezone, as_of)) for _ in range(HISTORIES)]


def population(drawn: Sequence[tuple[list[Row], list[Row]]], size: int, number: int) -> tuple[list[Row], ...]:
    """So many leads, each with the attributes of one that was drawn and activities of any of them."""
    chance = random.Random(number)
    people = [lead for leads, _ in drawn for lead in leads]
    acts = [activity for _, activities in drawn for activity in activities]
    leads = [chance.choice(people) | {"lead": f"crm:{place:04}"} for place in range(size)]
    activities = []
    for lead in leads:
        for place, act in enumerate(chance.sample(acts, min(len(acts), chance.choice([0, 2, 5, 12])))):
            activities.append(act | {"lead": lead["lead"], "activity_id": f"{lead['lead']}/{place}"})
    return leads, activities


def run(short: bool, say: Say) -> list[Layer]:
    """A layer that counts rule sets, and one of those that went through a ledger."""
    number, size = (SHORT_RULE_SETS, SHORT_LEADS) if short else (RULE_SETS, LEADS)
    layer = Layer("differential, rule sets", number)
    ledgers = Layer("differential, in a ledger", sum(-(-number // each) for each in PROMOTED.values()))
    with ExitStack() as rest:
        stores = {database: _ledger(database, rest) for database in PROMOTED}

        @seed(SEED)
        @settings(
            max_examples=number,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(rule_sets())
        def compared(drawn: tuple[Scorecard, datetime, list[tuple[list[Row], list[Row]]]]) -> None:
            card, as_of, few = drawn
            leads, activities = population(few, size, layer.done)
            one = Sample(layer.done, card, as_of, leads, activities)
            layer.violations += [f"rule set {one.number}: {problem}" for problem in one.problems()]
            for database, each in PROMOTED.items():
                if one.number % each == 0:
                    found = one.problems_in(stores[database])
                    ledgers.violations += [f"rule set {one.number}: {problem}" for problem in found]
                    ledgers.done += 1
            layer.done += 1
            if layer.done % 200 == 0:
                say(f"differential: {layer.done:,} of {number:,} rule sets, {len(layer.violations)} differ")

        compared()
    return [layer, ledgers]


def _ledger(database: str, rest: ExitStack) -> Ledger:
    if database == "sqlite":
        place = rest.enter_context(homes.scratch())
        ledger = Ledger(f"sqlite:///{databases.migrated_file(place / 'ledger.db')}")
    else:
        ledger = Ledger(rest.enter_context(databases.new_database()))
        migrate(ledger)
    rest.callback(ledger.close)
    return ledger
