"""A small world on a ledger: a scorecard in force, facts that land, runs that score what they are told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy import Table, select, update

from rescore.automations.state_machine import Restraint
from rescore.ledger import tables
from rescore.ledger.people import records
from rescore.ledger.promotion import promotion
from rescore.ledger.rules import activations, registry
from rescore.ledger.rules.activations import Activation
from rescore.ledger.scores import runs, stage, streams
from rescore.ledger.scores.runs import Run
from rescore.ledger.transaction import Ledger
from rescore.rules.actions import Webhook
from rescore.rules.card import (
    ALWAYS,
    ActivityRule,
    AllOf,
    Automation,
    Band,
    Comparison,
    Condition,
    Dimension,
    Kind,
    Operator,
    Range,
    Scorecard,
)
from rescore.same_person import Place
from tests.ledger.rules_text import rules_text

NOTHING: Mapping[str, Any] = {}
MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def when(**fields: Mapping[str, object]) -> Condition:
    """`when(score={"at_least": 100}, band={"in": ["A"]})`, as the rules file says it."""
    parts: list[Condition] = []
    for name, comparison in fields.items():
        for operator, value in comparison.items():
            values = tuple(value) if isinstance(value, list) else (value,)
            if operator == "exists":
                parts.append(Comparison(name, Operator.EXISTS, Kind.ANY, values))
            elif name == "band":
                parts.append(Comparison(name, Operator(operator), Kind.TEXT, values))
            else:
                numbers = tuple(Decimal(str(number)) for number in values)
                parts.append(Comparison(name, Operator(operator), Kind.NUMBER, numbers))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def an_automation(
    name: str,
    fire_when: Condition,
    ready_again_when: Condition | None = None,
    *,
    actions: int = 1,
    **policies: Any,
) -> Automation:
    hooks = tuple(Webhook(f"hook_{number}") for number in range(actions))
    return Automation(name, f"The {name} automation", fire_when, ready_again_when, hooks, line=1, **policies)


MQL = an_automation("mql", when(score={"at_least": 100}), when(score={"below": 85}))


def a_card(*automations: Automation, points: int = 5, description: str = "") -> Scorecard:
    return Scorecard(
        id="b2b",
        description=description,
        timezone=ZoneInfo("Europe/Berlin"),
        total=Range(),
        dimensions=(Dimension("engagement", Range()),),
        rules=(ActivityRule("visit", "Visit", "engagement", 1, ("page_view",), ALWAYS, points * 1000),),
        audience=ALWAYS,
        bands=(Band("A", 100_000), Band("B", 50_000), Band("C", 0)),
        automations=automations,
    )


def band_of(score: int | None) -> str | None:
    return (
        None
        if score is None
        else "A"
        if score >= 100
        else "B"
        if score >= 50
        else "C"
        if score >= 0
        else None
    )


def staged(scores: Mapping[str, int | None], committed: Mapping[str, int | None]) -> pa.Table:
    """What a run would stage: `changed` is against `committed`, a lead missing there has no row yet."""
    leads = sorted(scores)
    return pa.table(
        {
            "lead": pa.array(leads, pa.string()),
            "score": pa.array([scores[lead] for lead in leads], pa.int64()),
            "band": pa.array([band_of(scores[lead]) for lead in leads], pa.string()),
            "dimensions": pa.array([json.dumps({"engagement": scores[lead]}) for lead in leads], pa.string()),
            "reasons": pa.array(
                ['[{"rule":"visit","label":"Visit","points":5000}]'] * len(leads), pa.string()
            ),
            "changed": pa.array(
                [lead not in committed or committed[lead] != scores[lead] for lead in leads], pa.bool_()
            ),
        }
    )


@dataclass
class World:
    """Time goes on by a minute at every step, unless a test says when."""

    ledger: Ledger
    card: Scorecard = field(default_factory=lambda: a_card(MQL))
    targets: Sequence[str] = ("crm",)
    now: datetime = MONDAY
    started: int = 0

    def tick(self) -> datetime:
        self.now += MINUTE
        return self.now

    def adopt(self, card: Scorecard | None = None) -> Activation | None:
        """Register the card and put it in force."""
        self.card = card or self.card
        body = rules_text(self.card)
        at = self.tick()
        with self.ledger.transaction() as connection:
            version = registry.register(
                connection, card=self.card, body=body, path="b2b.yaml", at=at, by="test"
            )
            return activations.activate(connection, card=self.card, version_seq=version, at=at, by="test")

    def land(self, *leads: str, at: datetime | None = None, history: bool = False) -> int:
        """Facts of these leads arrive; the input version they got."""
        with self.ledger.transaction() as connection:
            lease = replace(streams.take_fence(connection, "crm", "contacts"), first=history)
            lease = streams.commit_landing(connection, lease, cursor={}, dirty=dict.fromkeys(leads, at))
        assert lease.input_ver is not None
        return lease.input_ver

    def start(
        self, kind: str = "incremental", *, as_of: datetime | None = None, key: str | None = None
    ) -> Run:
        self.started += 1
        with self.ledger.transaction() as connection:
            active = activations.active(connection, self.card.id)
            assert active is not None
            return runs.start_run(
                connection,
                run_key=key or f"run-{self.started}/{self.card.id}",
                scorecard=self.card.id,
                kind=kind,
                activation_seq=active.activation_seq,
                as_of=as_of or self.tick(),
                at=self.now,
            )

    def stage(
        self, run: Run, scores: Mapping[str, int | None], also: Mapping[str, Mapping[str, Any]] = NOTHING
    ) -> Run:
        """`also` gives further columns of the stage, by lead."""
        table = tables.stage_score
        with self.ledger.transaction() as connection:
            stage.stage(connection, run, staged(scores, self.scores(connection)))
            for lead, columns in also.items():
                mine = (table.c.run_key == run.run_key) & (table.c.lead == lead)
                connection.execute(update(table).where(mine).values(**columns))
            return runs.find(connection, run.run_key)

    def promote(
        self, run: Run, *, chunk: int = 1000, restrained: Mapping[str, Restraint] = NOTHING
    ) -> Counter[str]:
        return promotion.promote(
            self.ledger,
            run,
            self.card,
            at=self.now,
            targets=self.targets,
            restrained=restrained,
            chunk=chunk,
        )

    def score(self, kind: str = "incremental", **scores: int | None) -> Counter[str]:
        """A whole run."""
        return self.promote(self.stage(self.start(kind), scores))

    def join(self, lead: str, *others: str) -> None:
        """Let records of other sources be the lead's person."""
        places = {record: Place(lead) for record in (lead, *others)}
        with self.ledger.transaction() as connection:
            records.take_places(connection, places, entries=1)

    def first_load(self, **scores: int | None) -> None:
        self.adopt()
        self.score("initial", **scores)

    def scores(self, connection=None) -> dict[str, int | None]:
        if connection is None:
            with self.ledger.reading() as connection:
                return self.scores(connection)
        table = stage.committed(connection, self.card.id)
        return dict(zip(table["lead"].to_pylist(), table["score"].to_pylist(), strict=True))

    def rows(self, table: Table, *columns: str) -> list[tuple[object, ...]]:
        """The table's rows, or these columns of them, sorted."""
        chosen = [table.c[name] for name in columns] or list(table.c)
        with self.ledger.reading() as connection:
            return sorted((tuple(row) for row in connection.execute(select(*chosen))), key=repr)

    def dirty(self) -> list[str]:
        with self.ledger.reading() as connection:
            return runs.dirty_leads(connection, self.card.id)

    def run_state(self, run: Run) -> str:
        with self.ledger.reading() as connection:
            return runs.find(connection, run.run_key).state
