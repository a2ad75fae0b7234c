"""What a chunk of a promotion sets off: its leads through every automation's state machine."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from rescore.automations import (
    FRESH,
    Machine,
    Standing,
    State,
    Transition,
    Values,
    crossing_body,
    delivery_id,
)
from rescore.ledger import tables
from rescore.ledger.chunk import DIFFERS, C, Chunk, S
from rescore.ledger.runs import Run
from rescore.ledger.upsert import insert
from rescore.rules.card import Scorecard


class Crossings:
    """The transitions of one chunk: judged before its scores are written, written after.

    `may_fire` is false until the scorecard's first load is complete.
    """

    def __init__(self, connection: Connection, run: Run, card: Scorecard, *, may_fire: bool) -> None:
        self._connection = connection
        self._run = run
        self._card = card
        self._may_fire = may_fire
        self._armings: list[dict[str, Any]] = []
        self._deliveries: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()

    def judge(self, chunk: Chunk) -> None:
        """Find the transitions of the leads that changed, or that these rules have never judged."""
        if not self._card.automations:
            return
        machines = [Machine(automation, self._card.bands) for automation in self._card.automations]
        standings = self._standings(chunk)
        born = self._born()
        for row in self._connection.execute(
            chunk.rows(
                S.c.lead,
                S.c.score,
                S.c.band,
                S.c.dimensions,
                S.c.reasons,
                C.c.score.label("old_score"),
                C.c.band.label("old_band"),
                C.c.dimensions.label("old_dimensions"),
                C.c.activation_seq.label("judged_by"),
                C.c.ver,
            )
            .where(
                chunk.wins, or_(DIFFERS, C.c.lead.is_(None), C.c.activation_seq < self._run.activation_seq)
            )
            .order_by(S.c.lead)
        ):
            new = _values(row.score, row.band, row.dimensions)
            old = _values(row.old_score, row.old_band, row.old_dimensions) if row.ver else None
            for machine in machines:
                name = machine.automation.id
                standing = standings.get((name, row.lead), FRESH)
                newborn = row.judged_by is not None and row.judged_by < born.get(name, 0)
                step = machine.step(standing, old, new, newborn=newborn, may_fire=self._may_fire)
                if step is not None:
                    self._note(machine, row, old, new, step)

    def write(self, at: datetime) -> Counter[str]:
        """Write the transitions and the deliveries; how many of each kind."""
        if self._armings:
            arming = insert(self._connection, tables.arming).values(
                {column.name: bindparam(column.name) for column in tables.arming.c}
            )
            self._connection.execute(
                arming.on_conflict_do_update(
                    index_elements=["scorecard", "automation", "lead"],
                    set_={name: arming.excluded[name] for name in ("state", "n", "since")},
                ),
                self._armings,
            )
        if self._deliveries:
            self._connection.execute(
                insert(self._connection, tables.delivery).on_conflict_do_nothing(),
                [delivery | {"created_at": at} for delivery in self._deliveries],
            )
        return self._counts

    def _note(self, machine: Machine, row: Any, old: Values | None, new: Values, step: Transition) -> None:
        automation, run = machine.automation, self._run
        self._armings.append(
            {
                "scorecard": run.scorecard,
                "automation": automation.id,
                "lead": row.lead,
                "state": step.standing.state.value,
                "n": step.standing.n,
                "since": run.as_of,
            }
        )
        if not step.fires:
            armed = step.standing.state is State.ARMED
            self._counts["ready_again" if armed else "started_fired"] += 1
            return
        self._counts["fired"] += 1
        for position, action in enumerate(automation.actions):
            name = delivery_id(run.scorecard, automation.id, row.lead, step.standing.n, position)
            body = crossing_body(
                delivery=name,
                scorecard=run.scorecard,
                automation=automation,
                lead=row.lead,
                n=step.standing.n,
                old=old,
                new=new,
                reasons=json.loads(row.reasons) if row.reasons else [],
                rules_version=self._rules_version,
                activation=run.activation_seq,
                as_of=run.as_of,
            )
            self._deliveries.append(
                {
                    "delivery_id": name,
                    "scorecard": run.scorecard,
                    "automation": automation.id,
                    "lead": row.lead,
                    "n": step.standing.n,
                    "action": position,
                    "connection": action.connection,
                    "body": body,
                    "run_key": run.run_key,
                    "activation_seq": run.activation_seq,
                    "state": "due",
                    "tries": 0,
                }
            )

    def _standings(self, chunk: Chunk) -> dict[tuple[str, str], Standing]:
        arming = tables.arming
        names = [automation.id for automation in self._card.automations]
        rows = self._connection.execute(
            chunk.rows(arming.c.automation, arming.c.lead, arming.c.state, arming.c.n).where(
                arming.c.scorecard == self._run.scorecard,
                arming.c.automation.in_(names),
                arming.c.lead == S.c.lead,
            )
        )
        return {(row.automation, row.lead): Standing(State(row.state), row.n) for row in rows}

    def _born(self) -> dict[str, int]:
        table = tables.automation
        rows = self._connection.execute(
            select(table.c.automation, table.c.born).where(table.c.scorecard == self._run.scorecard)
        )
        return {row.automation: row.born for row in rows}

    @cached_property
    def _rules_version(self) -> int:
        table = tables.activation
        version: int = self._connection.execute(
            select(table.c.version_seq).where(
                table.c.scorecard == self._run.scorecard, table.c.activation_seq == self._run.activation_seq
            )
        ).scalar_one()
        return version


def _values(score: int | None, band: str | None, dimensions: str) -> dict[str, int | str | None]:
    return {"score": score, "band": band, **json.loads(dimensions)}
