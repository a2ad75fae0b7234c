"""Reads what the automations' judge needs to know of a chunk's leads, and lets it judge them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, false, null, or_, select

from rescore.automations.once_per import Accounts, Keys, keys_in
from rescore.automations.score_conditions import Values, test_of, values_of
from rescore.automations.state_machine import (
    Commit,
    Judge,
    OldRules,
    Outcome,
    Restraint,
    Standing,
    State,
    Transition,
)
from rescore.errors import ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.automations.accounts import accounts
from rescore.ledger.automations.firing_history import last_fired
from rescore.ledger.rules import activations
from rescore.ledger.scores.chunk import DIFFERS, C, Chunk, S
from rescore.ledger.scores.runs import THRESHOLDS, Run
from rescore.rules.card import Scorecard
from rescore.rules.fingerprint import fingerprint

NEVER: Mapping[str, Any] = {}
NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """One lead of a chunk: its staged row beside the committed one, and its transitions, at least one.

    `keys` stand for its account, by automation.
    """

    row: Row[Any]
    commit: Commit
    transitions: list[Transition]
    keys: Keys


@dataclass(frozen=True, slots=True)
class _Rules:
    """Of rules that judged leads before: `fire_when` by automation, and whether points are the same."""

    fires: Mapping[str, Callable[[Values], bool]]
    same_scoring: bool


class Judging:
    """Judges the leads of a run's chunks; what it has read of the rules serves them all.

    Args:
        run: The run whose stage is judged.
        card: The rules it is pinned to.
        restrained: By automation, what the gate does not let fire.
    """

    def __init__(self, run: Run, card: Scorecard, restrained: Mapping[str, Restraint]) -> None:
        self._run = run
        self._card = card
        self._restrained = restrained
        self._once = any(automation.once_per for automation in card.automations)
        self._born: dict[str, int] | None = None
        self._rules: dict[int, _Rules | None] = {}

    def judge(
        self,
        connection: Connection,
        chunk: Chunk,
        *,
        may_fire: bool,
        foreseen: Accounts | None = None,
    ) -> Iterator[Judged]:
        """The leads with transitions among those that changed, or that these rules have never judged.

        `foreseen` are the accounts that earlier chunks would set off, of a preview that writes nothing.
        """
        if not self._card.automations:
            return
        judge = Judge(self._card, may_fire=may_fire, restrained=self._restrained)
        standings = self._standings(connection, chunk)
        fired = self._last_fired(connection, chunk)
        rows = connection.execute(self._query(chunk)).all()
        keys = [self._keys(row) for row in rows]
        known = accounts(connection, self._card, [key for each in keys for key in each.values()])
        if foreseen is not None:
            foreseen.add(known)
            known = foreseen
        for row, mine in zip(rows, keys, strict=True):
            commit = self._commit(connection, row, fired.get(row.lead, NEVER), known.last_fired(mine))
            transitions = judge.judge(commit, standings.get(row.lead, NEVER))
            for step in transitions:
                if step.outcome is Outcome.FIRED:
                    known.note(mine, step.automation.id, self._run.as_of)
            if transitions:
                yield Judged(row, commit, transitions, mine)

    def _query(self, chunk: Chunk) -> Any:
        restarted = and_(S.c.restarted_at.is_not(None), S.c.restarted_at.is_distinct_from(C.c.restarted_at))
        concerned = [DIFFERS, C.c.lead.is_(None), C.c.activation_seq < self._run.activation_seq, restarted]
        if any(automation.unless for automation in self._card.automations):
            concerned.append(and_(S.c.flags.is_not(None), self._is_held()))
        return (
            chunk.rows(
                S.c.lead,
                S.c.score,
                S.c.band,
                S.c.grade,
                S.c.dimensions,
                S.c.reasons,
                S.c.flags,
                S.c.restarted_at,
                S.c.under_old_rules,
                chunk.causes.label("causes"),
                C.c.score.label("old_score"),
                C.c.band.label("old_band"),
                C.c.grade.label("old_grade"),
                C.c.dimensions.label("old_dimensions"),
                C.c.restarted_at.label("old_restarted_at"),
                C.c.activation_seq.label("judged_by"),
                C.c.ver,
                self._facts_until().label("facts_until"),
                self._history().label("history"),
            )
            .where(chunk.wins, or_(*concerned))
            .order_by(S.c.lead)
        )

    def _keys(self, row: Row[Any]) -> Keys:
        return keys_in(self._card, json.loads(row.flags)) if self._once and row.flags else NEVER

    def _commit(
        self,
        connection: Connection,
        row: Row[Any],
        last_fired: Mapping[str, datetime],
        account_fired: Mapping[str, datetime],
    ) -> Commit:
        new = values_of(row.score, row.band, row.grade, row.dimensions)
        restarted = row.restarted_at is not None and (
            row.old_restarted_at is None or row.restarted_at > row.old_restarted_at
        )
        return Commit(
            old=values_of(row.old_score, row.old_band, row.old_grade, row.old_dimensions)
            if row.ver
            else None,
            new=new,
            as_of=self._run.as_of,
            newborn=self._newborn(connection, row.judged_by),
            flags=frozenset(json.loads(row.flags)) if row.flags else NO_NAMES,
            restarted_at=row.restarted_at if restarted else None,
            facts_until=row.facts_until,
            history=row.history,
            last_fired=last_fired,
            account_fired=account_fired,
            old_rules=self._old_rules(connection, row, new),
        )

    def _old_rules(self, connection: Connection, row: Row[Any], new: Values) -> OldRules | None:
        """None when no other rules than these have anything to say of the lead."""
        activation = self._run.activation_seq
        if row.judged_by is None:  # a new lead: the rules before these have a say only if they were asked
            before = activation - 1 if row.under_old_rules is not None else 0
        else:
            before = row.judged_by
        if before in (0, activation):
            return None
        rules = self._rules_of(connection, before)
        if rules is None:
            return OldRules({}, None)
        if rules.same_scoring:
            return OldRules(rules.fires, new)
        if row.under_old_rules is None:
            return OldRules(rules.fires, None)
        under = json.loads(row.under_old_rules)
        old = {"score": under["score"], "band": under["band"], "grade": under.get("grade")}
        return OldRules(rules.fires, old | under["dimensions"])

    def _rules_of(self, connection: Connection, activation_seq: int) -> _Rules | None:
        """None when there are none of that number, or none that this build can read."""
        if activation_seq not in self._rules:
            self._rules[activation_seq] = self._read_rules(connection, activation_seq)
        return self._rules[activation_seq]

    def _read_rules(self, connection: Connection, activation_seq: int) -> _Rules | None:
        try:
            card = activations.card_of(connection, self._run.scorecard, activation_seq)
        except ScorecardInvalid:
            return None
        same = fingerprint(card).scoring == fingerprint(self._card).scoring
        return _Rules({each.id: test_of(each.fire_when) for each in card.automations}, same)

    def _newborn(self, connection: Connection, judged_by: int | None) -> frozenset[str]:
        """The automations that appeared after a lead was judged."""
        if self._born is None:
            table = tables.automation
            mine = table.c.scorecard == self._run.scorecard
            rows = connection.execute(select(table.c.automation, table.c.born).where(mine))
            self._born = {row.automation: row.born for row in rows}
        if judged_by is None or judged_by == self._run.activation_seq:
            return NO_NAMES
        return frozenset(name for name, born in self._born.items() if judged_by < born)

    def _standings(self, connection: Connection, chunk: Chunk) -> dict[str, dict[str, Standing]]:
        arming = tables.arming
        rows = connection.execute(
            chunk.rows(arming.c.automation, arming.c.lead, arming.c.state, arming.c.n, arming.c.since).where(
                arming.c.scorecard == self._run.scorecard,
                arming.c.automation.in_([automation.id for automation in self._card.automations]),
                arming.c.lead == S.c.lead,
            )
        )
        standings: dict[str, dict[str, Standing]] = defaultdict(dict)
        for row in rows:
            standings[row.lead][row.automation] = Standing(State(row.state), row.n, row.since)
        return standings

    def _last_fired(self, connection: Connection, chunk: Chunk) -> dict[str, dict[str, datetime]]:
        """By lead, of the automations with a cooldown."""
        mine = tables.crossing.c.lead == S.c.lead
        return last_fired(connection, self._card, mine, rows=chunk.rows)

    def _facts_until(self) -> ColumnElement[Any]:
        """When the newest of the facts that this run covers happened; read where a policy asks for it."""
        if all(automation.max_age is None for automation in self._card.automations):
            return null()
        return select(tables.dirty.c.facts_until).where(self._covers()).scalar_subquery()

    def _history(self) -> ColumnElement[bool]:
        """Whether a history that is being read is among the facts that this run covers."""
        return select(tables.dirty.c.lead).where(self._covers(), tables.dirty.c.history).exists()

    def _covers(self) -> ColumnElement[bool]:
        """The mark of a staged lead, if this run has read facts and is as new as it."""
        dirty, run = tables.dirty, self._run
        if run.kind == THRESHOLDS:
            return false()
        mine = and_(dirty.c.scorecard == run.scorecard, dirty.c.lead == S.c.lead)
        return and_(mine, dirty.c.input_ver <= run.input_ver)

    def _is_held(self) -> ColumnElement[bool]:
        arming = tables.arming
        return (
            select(arming.c.lead)
            .where(
                arming.c.scorecard == self._run.scorecard,
                arming.c.lead == S.c.lead,
                arming.c.state == State.HELD.value,
            )
            .exists()
        )
