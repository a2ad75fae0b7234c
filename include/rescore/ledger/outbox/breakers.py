"""Connections that are left alone: one breaker each, shared by all workers and DAGs.

A receiver goes by the id of its Connection, a CRM by the name of its mapping, for scores, tasks and fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from rescore.ledger import tables
from rescore.ledger.outbox import leases
from rescore.ledger.upsert import insert
from rescore.outcome import CONSEQUENCES, Kind, Outcome

FAILURES_IN_A_ROW = 3
"""So many calls in a row without an answer open a breaker."""

PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
)
"""How long it stays open the first time, the second, ...; then another call is tried."""

OPEN_FOR: dict[Kind, timedelta] = {"auth": timedelta(hours=1), "schema": timedelta(hours=1)}
"""What a person has to mend is tried again so often, or when the person closes the breaker."""

QUOTA_WITHOUT_A_WISH = timedelta(minutes=10)
FOR_GOOD = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Breaker:
    """One Connection's breaker; `open_until` None is closed, `failures` are those in a row so far."""

    connection: str
    failures: int
    open_until: datetime | None
    failure: Kind | None
    reason: str | None
    opened_at: datetime | None

    @property
    def for_good(self) -> bool:
        """Whether only a person closes it."""
        return self.open_until == FOR_GOOD

    def told(self) -> str:
        """What a person should know, in one sentence."""
        until = "a person closes it" if self.for_good else f"{self.open_until:%Y-%m-%d %H:%M} UTC"
        return f"`{self.connection}` is left alone until {until}: {self.reason}"


def is_open(connection: Connection, name: str, now: datetime) -> Breaker | None:
    """The breaker of a Connection that nobody may call now; None when it may be called."""
    found = _find(connection, name)
    return found if found and found.open_until is not None and found.open_until > now else None


def note(connection: Connection, name: str, outcome: Outcome, now: datetime) -> Breaker | None:
    """Count what a call to a Connection came to; its breaker when nobody may call from now on.

    An answer about one record, good or bad, closes it: the Connection is well.
    """
    breaks, table = CONSEQUENCES[outcome.kind].breaker, tables.breaker
    if breaks == "closes":
        lasting = table.c.open_until.is_not_distinct_from(FOR_GOOD)
        connection.execute(delete(table).where(table.c.connection == name, ~lasting))
    if breaks in ("closes", "nothing"):
        return None
    known = _locked(connection, name)
    if known.for_good:
        return known
    failures = known.failures + 1
    until: datetime | None = None
    if outcome.kind == "quota":
        wish = outcome.retry_after
        until = now + (QUOTA_WITHOUT_A_WISH if wish is None else leases.granted(wish, least=1.0))
    elif breaks == "opens":
        until = now + OPEN_FOR[outcome.kind]
    elif failures >= FAILURES_IN_A_ROW:
        until = now + PAUSES[min(failures - FAILURES_IN_A_ROW, len(PAUSES) - 1)]
    if until is None and known.open_until is not None and known.open_until > now:
        until = known.open_until  # a call that began before somebody else opened it
    return _write(connection, Breaker(name, failures, until, outcome.kind, outcome.reason, now))


def shut(connection: Connection, name: str, reason: str, now: datetime) -> Breaker | None:
    """Leave a Connection alone until a person closes its breaker, such as a receiver that is gone (410)."""
    failures = _locked(connection, name).failures + 1
    return _write(connection, Breaker(name, failures, FOR_GOOD, "gone", reason, now))


def close(connection: Connection, name: str, by: str) -> bool:
    """Let a Connection be called again, with no failures behind it; whether it was open."""
    known = _find(connection, name)
    if known is None or known.open_until is None:
        return False
    _write(connection, Breaker(name, 0, None, None, f"closed by {by}", None))
    return True


def open_now(connection: Connection, now: datetime) -> list[Breaker]:
    """Every one that keeps everybody away at this moment."""
    return [one for one in all_of_them(connection) if one.open_until is not None and one.open_until > now]


def all_of_them(connection: Connection) -> list[Breaker]:
    """Every Connection with failures behind it, whether it is left alone or not."""
    table = tables.breaker
    rows = connection.execute(select(table).order_by(table.c.connection))
    return [Breaker(**row._mapping) for row in rows]


def _find(connection: Connection, name: str) -> Breaker | None:
    table = tables.breaker
    row = connection.execute(select(table).where(table.c.connection == name)).one_or_none()
    return Breaker(**row._mapping) if row else None


def _locked(connection: Connection, name: str) -> Breaker:
    """The breaker, made when there is none, that nobody else counts at until this transaction ends."""
    table = tables.breaker
    new = insert(connection, table).values(connection=name, failures=0)
    connection.execute(new.on_conflict_do_nothing())
    chosen = select(table).where(table.c.connection == name).with_for_update()
    return Breaker(**connection.execute(chosen).one()._mapping)


def _write(connection: Connection, breaker: Breaker) -> Breaker | None:
    """Of a row that is locked; the breaker if it is open now."""
    table = tables.breaker
    values = {name: getattr(breaker, name) for name in Breaker.__slots__}
    connection.execute(update(table).where(table.c.connection == breaker.connection).values(values))
    return breaker if breaker.open_until is not None else None
