"""Which version of each scorecard is in force since when, and what follows from putting one in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from rescore.errors import ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.automations.lifetimes import keep_automations
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.rules import registry
from rescore.rules.card import Scorecard
from rescore.rules.fingerprint import Fingerprint

STRENGTH = ("wording", "thresholds", "scoring")
RETRY_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Activation:
    """One version put in force; `wakes` is the strongest part that moved: scoring, thresholds or wording."""

    scorecard: str
    activation_seq: int
    version_seq: int
    wakes: str


@dataclass(frozen=True, slots=True)
class Active:
    """A scorecard in force: its rules, exactly as read, and what is still owed.

    `rescored_at` is None while its rescore is owed; `attempt` counts the rescores asked for so far.
    """

    scorecard: str
    activation_seq: int
    version_seq: int
    sha256: str
    path: str
    wakes: str
    plan_hash: str | None
    activated_at: datetime
    rescored_at: datetime | None
    attempt: int
    paused: bool
    paused_reason: str | None
    hold_id: str | None
    first_load_done: bool
    full_pass_date: date | None


def activate(
    connection: Connection,
    *,
    card: Scorecard,
    version_seq: int,
    at: datetime,
    by: str,
    plan_hash: str | None = None,
    hold_id: str | None = None,
) -> Activation | None:
    """Put a registered version in force: in one transaction with everything that follows from it.

    A rescore is owed unless only the wording moved, and an unfinished one stays owed. Deliveries still due
    of automations that the new version no longer has are cancelled, with the reason.

    Args:
        connection: In a transaction.
        card: The version's rules.
        version_seq: Its number.
        at: When.
        by: Who.
        plan_hash: The plan that the rescore applies.
        hold_id: The hold whose release this is.

    Returns:
        The activation; None when this version is in force already.

    Raises:
        ScorecardInvalid: The version was rejected.
    """
    lock_scorecard(connection, card.id)
    version = registry.version(connection, card.id, version_seq)
    if version.status == registry.REJECTED:
        raise ScorecardInvalid(str(version.error).split("\n"))
    before = active(connection, card.id)
    if before is not None and before.version_seq == version_seq:
        return None
    wakes = "scoring" if before is None else _wakes(connection, before, version)
    owed = wakes != "wording"
    if before is not None and moved(connection, card.id, version_seq) in (None, "wording"):
        plan_hash, hold_id = before.plan_hash, before.hold_id  # what is owed is what was owed
    activation_seq = 1 if before is None else before.activation_seq + 1
    connection.execute(
        insert(tables.activation).values(
            scorecard=card.id,
            activation_seq=activation_seq,
            version_seq=version_seq,
            wakes=wakes,
            plan_hash=plan_hash if owed else None,
            hold_id=hold_id,
            activated_at=at,
            activated_by=by,
            rescored_at=None if owed else at,
            attempt=0,
        )
    )
    connection.execute(
        update(tables.control)
        .where(tables.control.c.scorecard == card.id)
        .values(activation_seq=activation_seq)
    )
    registry.set_status(connection, card.id, version_seq, registry.ACTIVE)
    if before is not None:
        registry.set_status(connection, card.id, before.version_seq, registry.RETIRED)
    keep_automations(connection, card, activation_seq, at)
    return Activation(card.id, activation_seq, version_seq, wakes)


def active(connection: Connection, scorecard: str) -> Active | None:
    """What is in force for one scorecard."""
    row = connection.execute(_in_force().where(tables.control.c.scorecard == scorecard)).one_or_none()
    return None if row is None else Active(**row._mapping)


def in_force(connection: Connection) -> list[Active]:
    """Every scorecard in force, paused ones included, by name."""
    return [Active(**row._mapping) for row in connection.execute(_in_force())]


def owners(connection: Connection) -> dict[str, str]:
    """The path that each scorecard in force was read from."""
    return {active.scorecard: active.path for active in in_force(connection)}


def card_of(connection: Connection, scorecard: str, activation_seq: int) -> Scorecard:
    """The rules that an activation put in force, read only from the ledger."""
    version_seq = connection.execute(
        select(tables.activation.c.version_seq).where(
            tables.activation.c.scorecard == scorecard, tables.activation.c.activation_seq == activation_seq
        )
    ).scalar_one()
    return registry.card(connection, scorecard, version_seq)


def rescore_due(connection: Connection, now: datetime, retry_after: timedelta = RETRY_AFTER) -> list[Active]:
    """The scorecards whose rescore is owed and has not been asked for lately.

    Paused ones wait, and so do those whose first load is not done: the first run settles what they owe. One
    whose stage is held waits for the answer.
    """
    hold = tables.hold
    held = (
        select(hold.c.hold_id)
        .where(hold.c.scorecard == tables.control.c.scorecard, hold.c.state == "open", hold.c.what == "stage")
        .exists()
    )
    owed = _in_force().where(
        tables.activation.c.rescored_at.is_(None),
        tables.control.c.paused.is_(False),
        tables.control.c.first_load_done.is_(True),
        ~held,
        tables.activation.c.attempted_at.is_(None) | (tables.activation.c.attempted_at <= now - retry_after),
    )
    return [Active(**row._mapping) for row in connection.execute(owed)]


def ask_rescore(connection: Connection, scorecard: str, at: datetime) -> int:
    """Note that a rescore of the rules in force is asked for now.

    Returns:
        The number of this attempt, from 1.
    """
    current = select(tables.control.c.activation_seq).where(tables.control.c.scorecard == scorecard)
    attempt: int = connection.execute(
        update(tables.activation)
        .where(
            tables.activation.c.scorecard == scorecard,
            tables.activation.c.activation_seq == current.scalar_subquery(),
        )
        .values(attempt=tables.activation.c.attempt + 1, attempted_at=at)
        .returning(tables.activation.c.attempt)
    ).scalar_one()
    return attempt


def moved(connection: Connection, scorecard: str, version_seq: int) -> str | None:
    """The strongest part in which a version differs from the one in force; None when none does."""
    before = active(connection, scorecard)
    if before is None:
        return "scoring"
    new = registry.version(connection, scorecard, version_seq)
    return _fingerprint(new).wakes(_fingerprint(registry.version(connection, scorecard, before.version_seq)))


def version_in_force_before(connection: Connection, scorecard: str) -> int | None:
    """The last version in force that was another one than now; None when there is none."""
    table, now = tables.activation, active(connection, scorecard)
    if now is None:
        return None
    return connection.scalar(
        select(table.c.version_seq)
        .where(table.c.scorecard == scorecard, table.c.version_seq != now.version_seq)
        .order_by(table.c.activation_seq.desc())
        .limit(1)
    )


def replan(connection: Connection, scorecard: str, activation_seq: int, plan_hash: str) -> None:
    """Let the rescore of an activation apply a plan that was made again."""
    connection.execute(
        update(tables.activation)
        .where(
            tables.activation.c.scorecard == scorecard, tables.activation.c.activation_seq == activation_seq
        )
        .values(plan_hash=plan_hash)
    )


def version_before(connection: Connection, scorecard: str, activation_seq: int) -> int | None:
    """The version that everybody was last scored under before an activation; None when there is none."""
    table = tables.activation
    return connection.scalar(
        select(table.c.version_seq)
        .where(
            table.c.scorecard == scorecard,
            table.c.activation_seq < activation_seq,
            table.c.rescored_at.is_not(None),
        )
        .order_by(table.c.activation_seq.desc())
        .limit(1)
    )


def pause(
    connection: Connection, scorecard: str, *, at: datetime, by: str, reason: str | None = None
) -> None:
    """Stop scoring a scorecard and sending what follows from it; facts still land.

    `reason` is a sentence when no person asked for it.
    """
    lock_scorecard(connection, scorecard)
    _set_paused(connection, scorecard, paused=True, at=at, by=by, reason=reason)


def resume(connection: Connection, scorecard: str, *, at: datetime, by: str) -> None:
    """Let a paused scorecard go on."""
    lock_scorecard(connection, scorecard)
    _set_paused(connection, scorecard, paused=False, at=at, by=by, reason=None)


def _wakes(connection: Connection, before: Active, version: Row[Any]) -> str:
    """The strongest part that moved; what an unfinished rescore still owes counts as moved."""
    old = registry.version(connection, before.scorecard, before.version_seq)
    moved = _fingerprint(version).wakes(_fingerprint(old)) or "wording"
    owed = before.wakes if before.rescored_at is None else "wording"
    return max(moved, owed, key=STRENGTH.index)


def _fingerprint(version: Row[Any]) -> Fingerprint:
    return Fingerprint(scoring=version.scoring, thresholds=version.thresholds, wording=version.wording)


def _set_paused(
    connection: Connection, scorecard: str, *, paused: bool, at: datetime, by: str, reason: str | None
) -> None:
    connection.execute(
        update(tables.control)
        .where(tables.control.c.scorecard == scorecard)
        .values(paused=paused, paused_at=at, paused_by=by, paused_reason=reason)
    )


def _activated() -> Any:
    return (tables.rules_version.c.scorecard == tables.activation.c.scorecard) & (
        tables.rules_version.c.seq == tables.activation.c.version_seq
    )


def _in_force() -> Select[Any]:
    control, activation, version = tables.control, tables.activation, tables.rules_version
    return (
        select(
            control.c.scorecard,
            control.c.activation_seq,
            activation.c.version_seq,
            version.c.sha256,
            version.c.path,
            activation.c.wakes,
            activation.c.plan_hash,
            activation.c.activated_at,
            activation.c.rescored_at,
            activation.c.attempt,
            control.c.paused,
            control.c.paused_reason,
            activation.c.hold_id,
            control.c.first_load_done,
            control.c.full_pass_date,
        )
        .join(
            activation,
            (activation.c.scorecard == control.c.scorecard)
            & (activation.c.activation_seq == control.c.activation_seq),
        )
        .join(version, _activated())
        .order_by(control.c.scorecard)
    )
