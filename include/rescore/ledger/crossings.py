"""What the chunks of a promotion set off: every crossing with its outcome, armings, deliveries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from rescore.automations import NO_LONGER_TRUE, Outcome, Restraint, State, Transition
from rescore.crossing_body import crossing_body, delivery_id
from rescore.ledger import tables
from rescore.ledger.chunk import Chunk, last_of_chunk
from rescore.ledger.judging import Judged, Judging
from rescore.ledger.runs import Run
from rescore.ledger.upsert import insert
from rescore.rules.card import Automation, Scorecard
from rescore.score_conditions import Values

UNRESTRAINED: Mapping[str, Restraint] = MappingProxyType({})


@dataclass(slots=True)
class Foreseen:
    """What a stage would set off of one automation if the gate restrained nothing.

    `by_rules` of the crossings that would fire are caused by new rules only; `suppressed` ones are counted
    by reason.
    """

    fired: int = 0
    by_rules: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)
    ready_again: int = 0
    started_fired: int = 0


def preview(connection: Connection, run: Run, card: Scorecard, *, chunk: int = 1000) -> dict[str, Foreseen]:
    """What promoting the rest of a stage would set off, by automation; writes nothing.

    Promotion judges in the same way: it does exactly this, unless another run commits scores in between.
    """
    control = tables.control
    may_fire = select(control.c.first_load_done).where(control.c.scorecard == run.scorecard)
    judging = Judging(run, card, UNRESTRAINED)
    foreseen = {automation.id: Foreseen() for automation in card.automations}
    loaded, rest = bool(connection.scalar(may_fire)), run
    while (upto := last_of_chunk(connection, rest, chunk)) is not None:
        for judged in judging.judge(connection, Chunk(connection, rest, upto), may_fire=loaded):
            for step in judged.transitions:
                _count(foreseen[step.automation.id], step)
        rest = replace(rest, promoted_to=upto)
    return foreseen


class Crossings:
    """Judges a run's chunks, one after the other.

    Args:
        run: The run being promoted.
        card: The rules it is pinned to.
        restrained: By automation, the crossings that wait for a person or are suppressed.
    """

    def __init__(self, run: Run, card: Scorecard, restrained: Mapping[str, Restraint] = UNRESTRAINED) -> None:
        self._run = run
        self._restrained = restrained
        self._judging = Judging(run, card, restrained)
        self._rules_version: int | None = None

    def judge(self, connection: Connection, chunk: Chunk, *, may_fire: bool) -> SetOff:
        """What a chunk sets off; call it before the chunk's scores are written.

        `may_fire` is false until the scorecard's first load is complete.
        """
        set_off = SetOff()
        for judged in self._judging.judge(connection, chunk, may_fire=may_fire):
            for step in judged.transitions:
                self._note(connection, set_off, judged, step)
        return set_off

    def _note(self, connection: Connection, set_off: SetOff, judged: Judged, step: Transition) -> None:
        run, row, commit = self._run, judged.row, judged.commit
        where = {"scorecard": run.scorecard, "automation": step.automation.id, "lead": row.lead}
        set_off.counts[step.outcome.value] += 1
        set_off.armings.append(
            where | {"state": step.standing.state.value, "n": step.standing.n, "since": run.as_of}
        )
        if step.was.state is State.HELD:
            ended = {"reason": step.reason or NO_LONGER_TRUE, "at_n": step.was.n}
            set_off.ended.append({f"at_{name}": value for name, value in where.items()} | ended)
        elif step.crosses:
            restraint = self._restrained.get(step.automation.id)
            set_off.crossings.append(
                where
                | {
                    "n": step.standing.n,
                    "run_key": run.run_key,
                    "activation_seq": run.activation_seq,
                    "as_of": run.as_of,
                    "old_score": row.old_score,
                    "new_score": row.score,
                    "old_band": row.old_band,
                    "new_band": row.band,
                    "by_rules": step.by_rules,
                    "outcome": step.outcome.value,
                    "reason": step.reason,
                    "hold_id": restraint.hold_id if restraint and step.outcome is Outcome.HELD else None,
                }
            )
        if step.outcome is Outcome.FIRED:
            set_off.deliveries += delivery_rows(
                scorecard=run.scorecard,
                automation=step.automation,
                lead=row.lead,
                n=step.standing.n,
                old=commit.old,
                new=commit.new,
                reasons=json.loads(row.reasons) if row.reasons else [],
                rules_version=self._version(connection),
                activation_seq=run.activation_seq,
                as_of=run.as_of,
                run_key=run.run_key,
            )

    def _version(self, connection: Connection) -> int:
        if self._rules_version is None:
            self._rules_version = rules_version(connection, self._run.scorecard, self._run.activation_seq)
        return self._rules_version


@dataclass(slots=True)
class SetOff:
    """What a chunk sets off, ready to be written; `ended` are crossings that were held until now."""

    armings: list[dict[str, Any]] = field(default_factory=list)
    crossings: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def write(self, connection: Connection, at: datetime) -> Counter[str]:
        """Write it; how many transitions of each outcome."""
        write_armings(connection, self.armings)
        if self.crossings:
            connection.execute(tables.crossing.insert(), self.crossings)
        if self.ended:
            connection.execute(_END_HELD, self.ended)
        write_deliveries(connection, self.deliveries, at)
        return self.counts


def write_armings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Where automations stand with leads from now on."""
    if not rows:
        return
    arming = insert(connection, tables.arming).values(
        {column.name: bindparam(column.name) for column in tables.arming.c}
    )
    connection.execute(
        arming.on_conflict_do_update(
            index_elements=["scorecard", "automation", "lead"],
            set_={name: arming.excluded[name] for name in ("state", "n", "since")},
        ),
        rows,
    )


def write_deliveries(connection: Connection, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """What is to be sent from now on."""
    if rows:
        connection.execute(
            insert(connection, tables.delivery).on_conflict_do_nothing(),
            [{**row, "created_at": at} for row in rows],
        )


def delivery_rows(
    *,
    scorecard: str,
    automation: Automation,
    lead: str,
    n: int,
    old: Values | None,
    new: Values,
    reasons: Sequence[Mapping[str, Any]],
    rules_version: int,
    activation_seq: int,
    as_of: datetime,
    run_key: str,
) -> Iterator[dict[str, Any]]:
    """One delivery per action of a crossing that fires, its body frozen."""
    for position, action in enumerate(automation.actions):
        name = delivery_id(scorecard, automation.id, lead, n, position)
        body = crossing_body(
            delivery=name,
            scorecard=scorecard,
            automation=automation,
            lead=lead,
            n=n,
            old=old,
            new=new,
            reasons=reasons,
            rules_version=rules_version,
            activation=activation_seq,
            as_of=as_of,
        )
        yield {
            "delivery_id": name,
            "scorecard": scorecard,
            "automation": automation.id,
            "lead": lead,
            "n": n,
            "action": position,
            "connection": action.connection,
            "body": body,
            "run_key": run_key,
            "activation_seq": activation_seq,
            "state": "due",
            "tries": 0,
        }


def rules_version(connection: Connection, scorecard: str, activation_seq: int) -> int:
    """The number of the version that an activation put in force."""
    table = tables.activation
    version: int = connection.execute(
        select(table.c.version_seq).where(
            table.c.scorecard == scorecard, table.c.activation_seq == activation_seq
        )
    ).scalar_one()
    return version


_END_HELD = (
    update(tables.crossing)
    .where(
        tables.crossing.c.scorecard == bindparam("at_scorecard"),
        tables.crossing.c.automation == bindparam("at_automation"),
        tables.crossing.c.lead == bindparam("at_lead"),
        tables.crossing.c.n == bindparam("at_n"),
    )
    .values(outcome=Outcome.SUPPRESSED.value, reason=bindparam("reason"))
)


def _count(foreseen: Foreseen, step: Transition) -> None:
    match step.outcome:
        case Outcome.FIRED:
            foreseen.fired += 1
            foreseen.by_rules += step.by_rules
        case Outcome.SUPPRESSED:
            assert step.reason is not None  # noqa: S101 - nothing is suppressed without a reason
            foreseen.suppressed[step.reason] += 1
        case Outcome.READY_AGAIN:
            foreseen.ready_again += 1
        case Outcome.STARTED_FIRED:
            foreseen.started_fired += 1
