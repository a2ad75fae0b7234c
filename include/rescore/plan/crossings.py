"""What a rules change sets off now: every lead's numbers through the automations, as promotion would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rescore.automations.once_per import Accounts
from rescore.automations.score_conditions import Values, test_of
from rescore.automations.state_machine import Commit, Judge, OldRules, Outcome, Standing, State, Transition
from rescore.ledger.rules.record import Record
from rescore.plan.columns import Column, Flags, count, dimension_columns, some, true_where
from rescore.plan.effects import Both
from rescore.rules.card import Automation, Not, Scorecard
from rescore.rules.fingerprint import fingerprint
from rescore.scoring.pair import OLD

CONDITIONS = ("unless", "already_fired")
"""An automation's conditions on leads; results hold them as `<automation>__<condition>`."""


@dataclass(slots=True)
class SetOff:
    """What one automation does in one commit: counts by outcome, and which leads make it fire."""

    fires: int = 0
    by_rules: int = 0
    ready_again: int = 0
    started_fired: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)
    leads: list[str] = field(default_factory=list)

    def add(self, lead: str, step: Transition) -> None:
        """Count one transition."""
        match step.outcome:
            case Outcome.FIRED:
                self.fires += 1
                self.by_rules += step.by_rules
                self.leads.append(lead)
            case Outcome.SUPPRESSED:
                self.suppressed[step.reason or "suppressed"] += 1
            case Outcome.READY_AGAIN:
                self.ready_again += 1
            case Outcome.STARTED_FIRED:
                self.started_fired += 1


def set_off_by_new(both: Both, record: Record, *, as_of: datetime) -> dict[str, SetOff]:
    """What promoting everybody under the new card would set off, by automation."""
    return _Judging(both, record, as_of, both.new, "").set_off()


def set_off_by_old(both: Both, record: Record, *, as_of: datetime) -> dict[str, SetOff]:
    """What a run over everybody under the old card would set off at the same moment."""
    return _Judging(both, record, as_of, both.old, OLD).set_off()


@dataclass(frozen=True)
class _Judging:
    """One card over its side of the results; only leads whose standing may move are judged one by one."""

    both: Both
    record: Record
    as_of: datetime
    card: Scorecard
    prefix: str

    def set_off(self) -> dict[str, SetOff]:
        found = {automation.id: SetOff() for automation in self.card.automations}
        if not found:
            return found
        rows = self.both.rows.num_rows
        concerned = some([self._concerned(automation) for automation in self.card.automations], rows)
        places = pc.indices_nonzero(concerned)
        judge = Judge(self.card, may_fire=self.record.may_fire)
        standings = {name: column.take(places).to_pylist() for name, column in self._standings.items()}
        newborn = {name: column.take(places).to_pylist() for name, column in self._newborn.items()}
        leads = self._leads.take(places).to_pylist()
        accounts, keys = Accounts(self.record.accounts_fired), self._keys(places)
        for at, (lead, commit) in enumerate(zip(leads, self._commits(places, leads, newborn), strict=True)):
            mine = {name: key for name, column in keys.items() if (key := column[at]) is not None}
            stands = {
                name: Standing(State(stood["state"]), stood["n"], self.record.since.get((name, lead)))
                for name, column in standings.items()
                if (stood := column[at]) is not None
            }
            commit = replace(commit, account_fired=accounts.last_fired(mine)) if mine else commit
            for step in judge.judge(commit, stands):
                found[step.automation.id].add(lead, step)
                if step.outcome is Outcome.FIRED:
                    accounts.note(mine, step.automation.id, self.as_of)
        return found

    def _concerned(self, automation: Automation) -> Flags:
        """Whose standing a commit may move; too many is no mistake."""
        rows, name = self.both.rows.num_rows, automation.id
        again = automation.ready_again_when
        fires = true_where(automation.fire_when, self._column, rows)
        ready = true_where(Not(automation.fire_when) if again is None else again, self._column, rows)
        standing = pc.struct_field(self._standings[name], "state")
        fired = pc.fill_null(pc.not_equal(standing, State.ARMED.value), False)
        held = pc.fill_null(pc.equal(standing, State.HELD.value), False)
        new_here = some([pc.is_null(self._committed["ver"]), self._newborn[name]], rows)
        began_past = some([fired, self._past(automation), self._flag(name, "already_fired")], rows)
        begins = pc.and_(new_here, began_past)
        restarted = pc.is_in(self._leads, pa.array(self.record.restarted_at, pa.string()))
        if (column := self._column("restarted_at")) is not None:
            restarted = pc.or_(restarted, pc.is_valid(column))
        fired_now = pc.and_(fired, pc.or_(ready, restarted))
        return some([pc.and_(pc.invert(fired), fires), fired_now, held, begins], rows)

    def _past(self, automation: Automation) -> Flags:
        """For whom an automation that appears was true before."""
        rows = self.both.rows.num_rows
        if not count(self._newborn[automation.id]):
            return pa.repeat(False, rows)
        return true_where(automation.fire_when, self._before(self._committed).get, rows)

    def _commits(
        self, places: pa.Array, leads: Sequence[str], newborn: Mapping[str, list[bool]]
    ) -> list[Commit]:
        record, commits = self.record, []
        new, under_old = (self._values(side, places) for side in (self._new_values, self._old_values))
        committed = self._committed.take(places)
        before = self._values(self._before(committed), None)
        known = committed["ver"].to_pylist()
        flags = {
            f"{automation.id} {condition}": self._flag(automation.id, condition).take(places).to_pylist()
            for automation in self.card.automations
            for condition in CONDITIONS
        }
        column = self._column("restarted_at")
        restarts = [None] * len(leads) if column is None else _aware(column.take(places).to_pylist())
        for at, lead in enumerate(leads):
            restarted, last = restarts[at], record.restarted_at.get(lead)
            commits.append(
                Commit(
                    old=before[at] if known[at] else None,
                    new=new[at],
                    as_of=self.as_of,
                    newborn=frozenset(name for name, column in newborn.items() if column[at]),
                    flags=frozenset(name for name, column in flags.items() if column[at]),
                    restarted_at=restarted if restarted and (last is None or restarted > last) else None,
                    facts_until=record.facts_until.get(lead),
                    history=lead in record.history,
                    last_fired=record.last_fired.get(lead, {}),
                    old_rules=None if self.prefix else OldRules(self._old_fires, under_old[at]),
                )
            )
        return commits

    def _keys(self, places: pa.Array) -> dict[str, list[str | None]]:
        """By automation with a `once_per`, what stands for each lead's account."""
        names = [automation.id for automation in self.card.automations if automation.once_per is not None]
        columns = {} if self.prefix else {name: self.both.column(f"{name}__once") for name in names}
        return {
            name: column.take(places).to_pylist() for name, column in columns.items() if column is not None
        }

    @cached_property
    def _leads(self) -> Column:
        return self.both.rows["lead"].combine_chunks()

    @cached_property
    def _committed(self) -> pa.Table:
        """The committed row of every lead, nulls where there is none."""
        return self.record.committed.take(pc.index_in(self._leads, self.record.committed["lead"]))

    @cached_property
    def _standings(self) -> dict[str, pa.Array]:
        """By automation, state and number of every lead, null where nothing is known."""
        standings = {}
        for automation in self.card.automations:
            mine = self.record.armings.filter(pc.equal(self.record.armings["automation"], automation.id))
            place = pc.index_in(self._leads, mine["lead"])
            columns = [mine[name].combine_chunks() for name in ("state", "n")]
            standings[automation.id] = pa.StructArray.from_arrays(columns, ["state", "n"]).take(place)
        return standings

    @cached_property
    def _newborn(self) -> dict[str, Flags]:
        """By automation, for whom it appeared after their score was committed."""
        judged_by, born = self._committed["judged_by"], self.record.born
        return {
            automation.id: pc.fill_null(pc.less(judged_by, born[automation.id]), False)
            if automation.id in born
            else pc.is_valid(judged_by)
            for automation in self.card.automations
        }

    @cached_property
    def _new_values(self) -> dict[str, Any]:
        return self._side(self.card, self.prefix)

    @cached_property
    def _old_values(self) -> dict[str, Any]:
        """What tells crossings that only new rules cause: the values under the old ones, at this moment."""
        if fingerprint(self.both.old).scoring == fingerprint(self.both.new).scoring:
            return self._new_values
        return self._side(self.both.old, OLD)

    def _before(self, committed: pa.Table) -> dict[str, Any]:
        """What conditions look at, of committed rows."""
        names = [dimension.id for dimension in self.both.old.dimensions]
        plain = {name: committed[name] for name in ("score", "band", "grade")}
        return plain | dimension_columns(committed["dimensions"], names)

    @cached_property
    def _old_fires(self) -> dict[str, Any]:
        return {automation.id: test_of(automation.fire_when) for automation in self.both.old.automations}

    def _side(self, card: Scorecard, prefix: str) -> dict[str, Any]:
        names = ["score", "band", "grade", *(dimension.id for dimension in card.dimensions)]
        columns = {name: self.both.column(prefix + name) for name in names}
        return {name: column for name, column in columns.items() if column is not None}

    def _column(self, name: str) -> Column | None:
        return self.both.column(self.prefix + name)

    def _flag(self, automation: str, condition: str) -> Flags:
        """Where a lead condition holds; results know it for the new card only."""
        found = None if self.prefix else self.both.column(f"{automation}__{condition}")
        return pa.repeat(False, self.both.rows.num_rows) if found is None else pc.fill_null(found, False)

    def _values(self, columns: Mapping[str, Any], places: pa.Array | None) -> list[Values]:
        """The values of some leads, or of all in the columns, one mapping each."""
        taken = pa.table(dict(columns))
        empty = {"score": None, "band": None, "grade": None}
        return [empty | row for row in (taken if places is None else taken.take(places)).to_pylist()]


def _aware(moments: Sequence[datetime | None]) -> list[datetime | None]:
    """Times of results, which are naive UTC."""
    return [moment and moment.replace(tzinfo=UTC) for moment in moments]
