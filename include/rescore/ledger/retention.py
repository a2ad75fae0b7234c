"""What the ledger no longer needs: rows whose time is over and that no decision looks at any more.

For every table it is said here why that is so. What is not here is kept for good, and bounded by something
else than time: leads (`score`, `sync`, `arming`, `dirty`, `record`), edits (`activation`, `automation`, and
`rules_version` with the rejected bodies), Connections (`breaker`, `budget`, `stream`), and people's wishes
(`erasure`, `tombstone`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    union,
    update,
)

from rescore.ledger import tables
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.rules import registry
from rescore.ledger.rules.holds import OPEN
from rescore.ledger.scores import runs
from rescore.policy.retention import Retention

UNFINISHED = (runs.SCORING, runs.STAGED, runs.PROMOTING)
"""States of a run that somebody works on. A held one waits for a person, and its hold for a day at most."""

ENDED = ("delivered", "expired", "cancelled", "discarded")
"""States of a delivery that nobody has to look at; a parked one waits for a person, and keeps its body."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Rows of one table that may go; `what` is their name in counts."""

    what: str
    table: Table
    rows: ColumnElement[bool]


def expired(retention: Retention, at: datetime) -> list[Expired]:
    """What may be deleted as it is, in the order in which it has to be.

    Attempts come before the deliveries that they say something about, stages before their runs.
    """
    return [
        Expired("staged rows", tables.stage_score, _stages(at - retention.stages)),
        Expired("attempts", tables.attempt, _attempts(at - retention.attempts)),
        Expired("deliveries", tables.delivery, _deliveries(at - retention.deliveries)),
        Expired("crossings", tables.crossing, _crossings(at - retention.crossings)),
        # only `explain` reads them; the next one's number comes from the score
        Expired("deltas", tables.delta, tables.delta.c.as_of < at - retention.deltas),
        Expired("holds", tables.hold, _holds(at - retention.holds)),
        Expired("overrides", tables.override, _overrides(at - retention.overrides)),
        # the results go with the row; a run over everybody has taken their place within a day or two
        Expired("shadow runs", tables.shadow_run, tables.shadow_run.c.as_of < at - retention.shadow_runs),
        # five weeks are looked back; of streams that are still read, reading drops them itself
        Expired("extracts", tables.extract, tables.extract.c.until < at - retention.extracts),
        Expired("plans", tables.plan, _plans(at - retention.plans)),
    ]


def delete_some(connection: Connection, gone: Expired, *, limit: int) -> int:
    """Delete up to so many of the rows; fewer than `limit` when no more are left.

    A row that somebody else has locked stays for the next time, because it may be wanted again.
    """
    return _delete(connection, gone.table, _locked(connection, gone.table, gone.rows, limit))


def dead_runs(connection: Connection, retention: Retention, at: datetime) -> list[str]:
    """The runs that somebody began, nobody finished and nobody has begun again since."""
    run = tables.run
    return list(connection.scalars(select(run.c.run_key).where(_dead(at - retention.stages))))


def give_up(connection: Connection, run_key: str, retention: Retention, at: datetime) -> bool:
    """Discard a dead run, so that its stage may go; False when it has moved meanwhile.

    Its leads are still marked, and what it owed to everybody is still owed: other runs have done it since, or
    the next one does. Whoever goes on with it after all meets the next fence. Clearing its first task
    begins it anew.
    """
    run = tables.run
    scorecard = connection.scalar(select(run.c.scorecard).where(run.c.run_key == run_key))
    if scorecard is None:
        return False
    lock_scorecard(connection, scorecard)  # before the run, as everybody does
    dead = and_(run.c.run_key == run_key, _dead(at - retention.stages))
    given_up = update(run).where(dead).values(state=runs.DISCARDED, fence=run.c.fence + 1, finished_at=at)
    return connection.execute(given_up).rowcount == 1


def empty_bodies(connection: Connection, retention: Retention, at: datetime, *, limit: int) -> int:
    """Take the lead's data out of up to so many deliveries that have ended; they are not sent again."""
    delivery = tables.delivery
    old = and_(
        delivery.c.state.in_(ENDED),
        _ended_at() < at - retention.delivery_bodies,
        func.length(delivery.c.body) > 0,
        delivery.c.lease_by.is_(None),
    )
    ids = [key for (key,) in _locked(connection, delivery, old, limit)]
    if ids:
        connection.execute(update(delivery).where(delivery.c.delivery_id.in_(ids)).values(body=b""))
    return len(ids)


def old_runs(connection: Connection, retention: Retention, at: datetime) -> list[str]:
    """The runs that may go: over, old, with nothing on the stage, and behind no score.

    A run behind a score says what that score was made of: causes, `explain` and the nightly verification
    read it, for a paused scorecard also after years.
    """
    run, score = tables.run, tables.score
    moments = select(score.c.scorecard, score.c.as_of, score.c.input_ver).distinct()
    behind = {tuple(row) for row in connection.execute(moments)}
    found = connection.execute(
        select(run.c.run_key, run.c.scorecard, run.c.as_of, run.c.input_ver).where(_over(at - retention.runs))
    )
    return [row.run_key for row in found if (row.scorecard, row.as_of, row.input_ver) not in behind]


def delete_runs(connection: Connection, keys: Collection[str], retention: Retention, at: datetime) -> int:
    """Delete these, but for those that somebody has begun again."""
    run, staged = tables.run, tables.stage_score
    unstaged = ~exists().where(staged.c.run_key == run.c.run_key)
    mine = run.c.run_key.in_(sorted(keys))
    return connection.execute(delete(run).where(mine, _over(at - retention.runs), unstaged)).rowcount


def plans_in_use(connection: Connection) -> set[str]:
    """The hashes of the plans that an activation in force, an open hold or an unfinished run names."""
    return set(connection.scalars(_plans_in_use()))


def runs_in_use(connection: Connection) -> set[str]:
    """The keys of the runs whose results somebody may still read."""
    run = tables.run
    return set(connection.scalars(select(run.c.run_key).where(run.c.state.not_in(runs.OVER))))


def shadow_runs(connection: Connection) -> set[str]:
    """The keys of the runs of which a shadow's results are kept."""
    return set(connection.scalars(select(tables.shadow_run.c.run_key)))


def free_share(connection: Connection) -> float:
    """How much of a SQLite file is empty; 0 on PostgreSQL, which sees to that itself."""
    if connection.dialect.name != "sqlite":
        return 0.0
    free: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    pages: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return free / max(pages, 1)


def _dead(before: datetime) -> ColumnElement[bool]:
    run = tables.run
    return and_(run.c.state.in_(UNFINISHED), run.c.started_at < before)


def _over(before: datetime) -> ColumnElement[bool]:
    run = tables.run
    return and_(run.c.state.in_(runs.OVER), func.coalesce(run.c.finished_at, run.c.started_at) < before)


def _stages(before: datetime) -> ColumnElement[bool]:
    """Of runs that are over; the next run of the scorecard clears them, but a paused one has no next."""
    over = select(tables.run.c.run_key).where(_over(before))
    return tables.stage_score.c.run_key.in_(over)


def _ended_at() -> ColumnElement[Any]:
    return func.coalesce(tables.delivery.c.settled_at, tables.delivery.c.created_at)


def _attempts(before: datetime) -> ColumnElement[bool]:
    """Not of what may still be sent: an attempt of unknown outcome decides how that is done."""
    attempt, delivery = tables.attempt, tables.delivery
    needed = or_(delivery.c.state.not_in(ENDED), _ended_at() >= before, delivery.c.lease_by.is_not(None))
    of_needed = exists().where(delivery.c.delivery_id == attempt.c.delivery_id, needed)
    return and_(attempt.c.started_at < before, ~of_needed)


def _deliveries(before: datetime) -> ColumnElement[bool]:
    """A crossing's deliveries are made once, when it fires; none is made again when its row is gone."""
    delivery = tables.delivery
    return and_(delivery.c.state != "due", _ended_at() < before, delivery.c.lease_by.is_(None))


def _crossings(before: datetime) -> ColumnElement[bool]:
    """Not what is held, and not the last firing of a lead, nor that of an account.

    `cooldown` and `once_per` of whatever rules come into force ask when that was. The gate asks how many
    there were lately, `rescore deliveries replay --suppressed` for those of a span of time.
    """
    crossing = tables.crossing
    later = crossing.alias("later")
    same = and_(
        later.c.scorecard == crossing.c.scorecard,
        later.c.automation == crossing.c.automation,
        later.c.outcome == "fired",
    )
    of_lead = exists().where(same, later.c.lead == crossing.c.lead, later.c.n > crossing.c.n)
    # a bare as_of would have SQLite look at all that happened later, instead of at this account's
    at = func.coalesce(later.c.as_of, later.c.as_of)
    of_account = exists().where(same, later.c.once_key == crossing.c.once_key, at > crossing.c.as_of)
    not_last = and_(of_lead, or_(crossing.c.once_key.is_(None), of_account))
    suppressed = crossing.c.outcome == "suppressed"
    return and_(crossing.c.as_of < before, or_(suppressed, and_(crossing.c.outcome == "fired", not_last)))


def _holds(before: datetime) -> ColumnElement[bool]:
    """Not what nobody has answered, or what is not carried out yet; nor what released an activation."""
    hold, crossing, run, version = tables.hold, tables.crossing, tables.run, tables.rules_version
    released = exists().where(tables.activation.c.hold_id == hold.c.hold_id)
    holds_crossings = exists().where(crossing.c.hold_id == hold.c.hold_id, crossing.c.outcome == "held")
    of_held_run = exists().where(run.c.run_key == hold.c.run_key, run.c.state.not_in(runs.OVER))
    of_held_rules = exists().where(
        version.c.scorecard == hold.c.scorecard,
        version.c.seq == hold.c.version_seq,
        version.c.status == registry.HELD,
    )
    return and_(
        hold.c.state != OPEN,
        func.coalesce(hold.c.decided_at, hold.c.opened_at) < before,
        ~or_(released, holds_crossings, of_held_run, of_held_rules),
    )


def _overrides(before: datetime) -> ColumnElement[bool]:
    """Ended ones decide nothing: whether a value is a person's is read from the CRM each time."""
    override = tables.override
    return and_(override.c.state == "ended", override.c.ended_at < before)


def _plans(before: datetime) -> ColumnElement[bool]:
    plan = tables.plan
    return and_(plan.c.made_at < before, plan.c.plan_hash.not_in(_plans_in_use()))


def _plans_in_use() -> CompoundSelect[Any]:
    activation, control, hold, run = tables.activation, tables.control, tables.hold, tables.run
    in_force = and_(
        activation.c.scorecard == control.c.scorecard, activation.c.activation_seq == control.c.activation_seq
    )
    return union(
        select(activation.c.plan_hash).join(control, in_force).where(activation.c.plan_hash.is_not(None)),
        select(hold.c.plan_hash).where(hold.c.state == OPEN, hold.c.plan_hash.is_not(None)),
        select(run.c.plan_hash).where(run.c.state.not_in(runs.OVER), run.c.plan_hash.is_not(None)),
    )


def _key(table: Table) -> list[Column[Any]]:
    return list(table.primary_key.columns)


def _locked(
    connection: Connection, table: Table, rows: ColumnElement[bool], limit: int
) -> Sequence[tuple[Any, ...]]:
    """The keys of up to so many of the rows, locked until the end of the transaction."""
    query = select(*_key(table)).where(rows).limit(limit).with_for_update(of=table, skip_locked=True)
    return [tuple(row) for row in connection.execute(query)]


def _delete(connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> int:
    """One statement, run by the driver for every key: SQLite would look for a list of keys in every row."""
    if keys:
        columns = _key(table)
        one = and_(*(column == bindparam(f"of_{column.name}") for column in columns))
        named = [f"of_{column.name}" for column in columns]
        connection.execute(delete(table).where(one), [dict(zip(named, key, strict=True)) for key in keys])
    return len(keys)
