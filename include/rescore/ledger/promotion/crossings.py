"""What a run sets off, judged chunk by chunk: before promotion as a preview, then in earnest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, select

from rescore.automations.once_per import Accounts
from rescore.automations.state_machine import NO_LONGER_TRUE, Outcome, Restraint, State, Transition
from rescore.causes import read_causes
from rescore.ledger import tables
from rescore.ledger.automations.set_off import SetOff, delivery_rows, rules_version
from rescore.ledger.promotion.judging import Judged, Judging
from rescore.ledger.scores.chunk import Chunk, last_of_chunk
from rescore.ledger.scores.runs import Run
from rescore.messages import NO_URLS
from rescore.rules.card import Scorecard

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
    loaded, rest, accounts = bool(connection.scalar(may_fire)), run, Accounts({})
    while foreseen and (upto := last_of_chunk(connection, rest, chunk)) is not None:
        part = Chunk(connection, rest, upto)
        for judged in judging.judge(connection, part, may_fire=loaded, foreseen=accounts):
            for step in judged.transitions:
                _count(foreseen[step.automation.id], step)
        rest = replace(rest, promoted_to=upto)
    return foreseen


class Crossings:
    """Judges a run's chunks, one after the other.

    Args:
        run: The run being promoted.
        card: The rules it is pinned to.
        at: The time to note for what they set off.
        restrained: By automation, the crossings that wait for a person or are suppressed.
        lead_urls: Where messages say that a lead can be seen, by CRM.
    """

    def __init__(
        self,
        run: Run,
        card: Scorecard,
        *,
        at: datetime,
        restrained: Mapping[str, Restraint] = UNRESTRAINED,
        lead_urls: Mapping[str, str] = NO_URLS,
    ) -> None:
        self._run = run
        self._card = card
        self._at = at
        self._lead_urls = lead_urls
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
                    "once_key": judged.keys.get(step.automation.id),
                    "hold_id": restraint.hold_id if restraint and step.outcome is Outcome.HELD else None,
                }
            )
        if step.outcome is Outcome.FIRED:
            set_off.deliveries += delivery_rows(
                card=self._card,
                automation=step.automation,
                lead=row.lead,
                n=step.standing.n,
                old=commit.old,
                new=commit.new,
                reasons=json.loads(row.reasons) if row.reasons else [],
                causes=read_causes(row.causes),
                rules_version=self._version(connection),
                activation_seq=run.activation_seq,
                as_of=run.as_of,
                run_key=run.run_key,
                at=self._at,
                lead_urls=self._lead_urls,
            )

    def _version(self, connection: Connection) -> int:
        if self._rules_version is None:
            self._rules_version = rules_version(connection, self._run.scorecard, self._run.activation_seq)
        return self._rules_version


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
