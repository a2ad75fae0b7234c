"""Puts a registered version forward: planned, judged, and then put in force or held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from rescore.errors import Fenced, InputUnreadable, ScorecardInvalid, TerminalError
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.rules import activations, holds, registry
from rescore.ledger.rules.activations import Active
from rescore.ledger.rules.holds import Hold
from rescore.pipeline.gate import supersede
from rescore.plan.make import find_plan, is_stale, make_plan
from rescore.plan.plan import Plan
from rescore.policy.file import Policy, read_policy
from rescore.policy.limits import judge
from rescore.progress import Progress, silent
from rescore.rules.card import Scorecard
from rescore.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RulesNews:
    """What became of one version.

    `wakes` is the strongest part of the fingerprint that moved, None when nothing did; `problems` are
    `file:line:col: message` lines and `reasons` sentences with counts: no lead data in either. `told` is
    the plan's opening line.
    """

    path: str
    scorecard: str
    what: Literal["activated", "unchanged", "rejected", "held"]
    version: int
    wakes: str | None = None
    problems: tuple[str, ...] = ()
    plan_hash: str | None = None
    hold_id: str | None = None
    reasons: tuple[str, ...] = ()
    told: str = ""


def put_forward(
    ws: Workspace,
    scorecard: str,
    version_seq: int,
    *,
    at: datetime,
    by: str,
    granted: Hold | None = None,
    progress: Progress = silent,
) -> RulesNews:
    """Put a registered version in force, if it may without asking a person; else hold it.

    The first version, one before the first load is done, and one in which only the wording moved come into
    force at once: there is nothing to compare. For every other a plan is made. The version in force again
    withdraws whatever else waits for an answer: edit and revert. A version that waits and that this build
    refuses, though an earlier one accepted it, is rejected; one that follows rules that this build refuses
    has nothing to be compared with, and its rescore is judged at the gate.

    Args:
        ws: The stores.
        scorecard: Whose version.
        version_seq: Which.
        at: Now; also the moment that is planned for.
        by: Who put it forward.
        granted: The hold of this version that a person has released. Its plan is carried out if it still
            holds good, else it is made again and compared with what was released.
        progress: Told what the plan is doing.

    Raises:
        ScorecardInvalid: The version was rejected, or was in force before and is refused now.
        PolicyInvalid: The limits cannot be read.
        Fenced: Other rules came into force in between, a newer edit was saved, or somebody else decided about
            this version.
    """
    policy = read_policy(ws.policy_file)
    if refused := reject_if_refused(ws, scorecard, version_seq, at=at):
        return refused
    with ws.ledger.reading() as connection:
        begun = _present(connection, scorecard, version_seq)
        active = activations.active(connection, scorecard)
        card = registry.card(connection, scorecard, version_seq)
        moved = activations.moved(connection, scorecard, version_seq)
        old_version = None if active is None else _compared_with(connection, active)
        comparable = old_version is not None and registry.accepted(connection, scorecard, old_version)
    change = _Change(ws, policy, card, version_seq, active, moved, at, by, granted, begun)
    if active is None or not active.first_load_done or active.version_seq == version_seq:
        return change.put_in_force(None)
    if moved in (None, "wording") or not comparable:
        return change.put_in_force(None)
    plan = None if granted is None else change.plan_as_released()
    if plan is None:
        plan = make_plan(
            ws,
            scorecard=scorecard,
            new=card,
            new_version=version_seq,
            old_version=old_version,
            as_of=at,
            at=at,
            by=by,
            progress=progress,
        )
    verdict = judge(
        plan.measures(), policy.limits(scorecard), approved=None if granted is None else granted.measures
    )
    if verdict.stage_reasons:
        return change.hold(plan, verdict.reasons)  # with what its automations would do: a release lets them
    return change.put_in_force(plan)


def rollback(
    ws: Workspace,
    scorecard: str,
    *,
    at: datetime,
    by: str,
    to: int | None = None,
    progress: Progress = silent,
) -> RulesNews:
    """Put an older version in force again, planned and judged like any other change.

    The file on disk stays as it is and does not come back by itself; saving it again puts it forward.

    Args:
        ws: The stores.
        scorecard: Which scorecard.
        at: Now.
        by: Who.
        to: The version; None means the one in force before.
        progress: Told what the plan is doing.

    Raises:
        InputUnreadable: There is no such scorecard or version, none before, or it was rejected.
        ScorecardInvalid: This build refuses that version.
        Fenced: Other rules came into force in between.
    """
    with ws.ledger.reading() as connection:
        active = activations.active(connection, scorecard)
        if active is None:
            there = ", ".join(one.scorecard for one in activations.in_force(connection)) or "none yet"
            raise InputUnreadable(f"no scorecard `{scorecard}` is in force; there is {there}")
        version = activations.version_in_force_before(connection, scorecard) if to is None else to
        if version is None:
            raise InputUnreadable(
                f"version {active.version_seq} of {scorecard} is the first that came into force"
            )
        registry.version_that_held(connection, scorecard, version)
    return put_forward(ws, scorecard, version, at=at, by=by, progress=progress)


def reject_if_refused(ws: Workspace, scorecard: str, version_seq: int, *, at: datetime) -> RulesNews | None:
    """Reject a version that waits for a decision if this build refuses what an earlier one accepted.

    Nobody is asked about it any more.

    Returns:
        The news, or None when there is nothing to refuse.
    """
    with ws.ledger.transaction() as connection:
        lock_scorecard(connection, scorecard)
        version = registry.version(connection, scorecard, version_seq)
        if version.status not in (registry.DRAFT, registry.HELD):
            return None
        try:
            registry.card(connection, scorecard, version_seq)
            return None
        except ScorecardInvalid as refused:
            problems = refused.problems
        registry.refuse(connection, scorecard, version_seq, problems)
        for hold in holds.open_holds(connection, scorecard, holds.RULES):
            if hold.version_seq == version_seq:
                by = f"this build, which refuses version {version_seq}"
                holds.close(connection, hold, holds.SUPERSEDED, at=at, by=by)
    return RulesNews(version.path, scorecard, "rejected", version_seq, problems=tuple(problems))


@dataclass(frozen=True, slots=True)
class _Change:
    ws: Workspace
    policy: Policy
    card: Scorecard
    version_seq: int
    active: Active | None
    moved: str | None
    at: datetime
    by: str
    granted: Hold | None
    begun: _Present

    def put_in_force(self, plan: Plan | None) -> RulesNews:
        """In one transaction with all that follows; whatever waited for an answer is superseded."""
        with self.ws.ledger.transaction() as connection:
            self._make_sure(connection)
            activation = activations.activate(
                connection,
                card=self.card,
                version_seq=self.version_seq,
                at=self.at,
                by=self.by,
                plan_hash=None if plan is None else plan.plan_hash,
                hold_id=None if self.granted is None else self.granted.hold_id,
            )
            withdraw(connection, self.card.id, at=self.at, newer=self.version_seq)
            if activation is not None:
                for stage in holds.open_holds(connection, self.card.id, holds.STAGE):
                    # it was scored under older rules
                    supersede(connection, stage, at=self.at, by=f"version {self.version_seq}")
            path = registry.version(connection, self.card.id, self.version_seq).path
        if activation is None:
            return RulesNews(path, self.card.id, "unchanged", self.version_seq)
        return RulesNews(
            path,
            self.card.id,
            "activated",
            self.version_seq,
            wakes=activation.wakes,
            plan_hash=None if plan is None else plan.plan_hash,
            told="" if plan is None else plan.opening_line(),
        )

    def hold(self, plan: Plan, reasons: tuple[str, ...]) -> RulesNews:
        """The version waits for a person; the rules in force stay."""
        scorecard, version = self.card.id, self.version_seq
        with self.ws.ledger.transaction() as connection:
            self._make_sure(connection)
            withdraw(connection, scorecard, at=self.at, newer=version, held=True)
            asked = [
                hold
                for hold in holds.open_holds(connection, scorecard, holds.RULES)
                if hold.version_seq == version
            ]
            hold_id = (
                asked[0].hold_id
                if asked
                else holds.open_hold(
                    connection,
                    hold_id=holds.rules_hold_id(scorecard, version, plan.plan_hash),
                    scorecard=scorecard,
                    what=holds.RULES,
                    reasons=reasons,
                    measures=plan.measures(),
                    at=self.at,
                    by=self.by,
                    expires_at=self.at + self.policy.expire_after,
                    version_seq=version,
                    plan_hash=plan.plan_hash,
                )
            )
            registry.set_status(connection, scorecard, version, registry.HELD)
            path = registry.version(connection, scorecard, version).path
        return RulesNews(
            path,
            scorecard,
            "held",
            version,
            wakes=self.moved,
            plan_hash=plan.plan_hash,
            hold_id=hold_id,
            reasons=reasons,
            told=plan.opening_line(),
        )

    def _make_sure(self, connection: Connection) -> None:
        """Lock the scorecard; what the plan was made for, maybe minutes ago, must still be so."""
        lock_scorecard(connection, self.card.id)
        if _present(connection, self.card.id, self.version_seq) != self.begun:
            raise Fenced(
                f"{self.card.id} was edited or decided about while version {self.version_seq} was planned"
            )

    def plan_as_released(self) -> Plan | None:
        """The plan that a person has seen, while it is still true."""
        assert self.granted is not None and self.granted.plan_hash is not None  # noqa: S101, PT018
        try:
            plan = find_plan(self.ws, self.granted.plan_hash)
        except TerminalError:
            return None
        if self.active is None or plan.activation_seq != self.active.activation_seq:
            return None
        return None if is_stale(plan, self.card, self.at) else plan


def withdraw(connection: Connection, scorecard: str, *, at: datetime, newer: int, held: bool = False) -> None:
    """Give up what is held: the version `newer` has taken its place, also of one just released.

    Where that one is held itself, it goes on waiting.
    """
    but = newer if held else None
    for hold in holds.open_holds(connection, scorecard, holds.RULES):
        if hold.version_seq != but:
            holds.close(connection, hold, holds.SUPERSEDED, at=at, by=f"version {newer}")
    registry.discard_held(connection, scorecard, but)


class _Present(NamedTuple):
    """What must not change while a version is planned."""

    last_seen: int
    status: str
    activation_seq: int | None


def _present(connection: Connection, scorecard: str, version_seq: int) -> _Present:
    active = activations.active(connection, scorecard)
    return _Present(
        registry.last_seen(connection, scorecard),
        registry.version(connection, scorecard, version_seq).status,
        None if active is None else active.activation_seq,
    )


def _compared_with(connection: Connection, active: Active) -> int:
    """The version that everybody's scores are under: not the one in force while its rescore is owed."""
    if active.rescored_at is not None:
        return active.version_seq
    before = activations.version_before(connection, active.scorecard, active.activation_seq)
    return active.version_seq if before is None else before
