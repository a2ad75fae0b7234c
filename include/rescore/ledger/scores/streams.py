"""How far each source stream has been read, who may write it, and which leads its facts touched."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, select, update

from rescore.errors import Fenced
from rescore.ledger import tables
from rescore.ledger.scores.marks import mark_dirty
from rescore.ledger.upsert import insert

INPUT_VER = "input_ver"
NOTED_HERE = "noted here"
"""A stream that no source has: what people note about leads."""


@dataclass(frozen=True, slots=True)
class StreamLease:
    """The right to land the next facts of one source stream, until somebody else takes it.

    `landing` numbers the next append to the lake, `committed` is the number of the last one whose leads
    are marked, or owed their marks; `cursor` is where to resume, None at the beginning; `input_ver` is that
    of the last landing committed under this lease. What a stream brings before it was `first` read to its end
    is history: it moves scores and fires nothing.
    """

    source: str
    stream: str
    fence: int
    landing: int
    committed: int
    cursor: dict[str, Any] | None
    input_ver: int | None = None
    first: bool = False


def take_fence(connection: Connection, source: str, stream: str) -> StreamLease:
    """Shut out whoever reads this stream now, and start where the last committed landing ended."""
    mine = (tables.stream.c.source == source) & (tables.stream.c.stream == stream)
    connection.execute(
        insert(connection, tables.stream)
        .values(source=source, stream=stream, landing=0, committed=0, fence=0, rows=0)
        .on_conflict_do_nothing()
    )
    row = connection.execute(
        update(tables.stream)
        .where(mine)
        .values(fence=tables.stream.c.fence + 1, landing=tables.stream.c.landing + 1)
        .returning(
            tables.stream.c.fence,
            tables.stream.c.landing,
            tables.stream.c.committed,
            tables.stream.c.cursor,
            tables.stream.c.read_at,
        )
    ).one()
    cursor = json.loads(row.cursor) if row.cursor else None
    first = row.read_at is None
    return StreamLease(source, stream, row.fence, row.landing, row.committed, cursor, first=first)


def commit_landing(
    connection: Connection,
    lease: StreamLease,
    *,
    cursor: Mapping[str, Any],
    dirty: Mapping[str, datetime | None],
    rows: int = 0,
    marks_later: bool = False,
) -> StreamLease:
    """Advance the cursor and mark the landing's leads, for every scorecard that has ever been in force.

    Args:
        connection: In a transaction that does nothing else.
        lease: From `take_fence`, or from the landing before this one.
        cursor: Where to resume after this landing.
        dirty: Every lead of the landing, new facts or not, with the latest occurred_at among its facts.
        rows: How many rows the landing was read from, repetitions included.
        marks_later: Of a history: the other leads of the landing are owed their marks (`owed`).

    Returns:
        The lease for the next landing.

    Raises:
        Fenced: Somebody else took the stream; nothing of this landing is committed.
    """
    since = tables.stream.c.unmarked_since
    row = connection.execute(
        update(tables.stream)
        .where(
            tables.stream.c.source == lease.source,
            tables.stream.c.stream == lease.stream,
            tables.stream.c.fence == lease.fence,
            tables.stream.c.landing == lease.landing,
        )
        .values(
            cursor=json.dumps(cursor),
            landing=lease.landing + 1,
            committed=lease.landing,
            rows=tables.stream.c.rows + rows,
            **({"unmarked_since": func.coalesce(since, tables.stream.c.committed)} if marks_later else {}),
        )
        .returning(tables.stream.c.landing)
    ).one_or_none()
    if row is None:
        raise Fenced(f"a newer run reads {lease.source}/{lease.stream} now; this one stops")
    number = _next_input_ver(connection)
    for scorecard in _in_force(connection):
        mark_dirty(connection, scorecard, dirty, number, history=lease.first)
    return replace(lease, landing=row.landing, committed=lease.landing, cursor=dict(cursor), input_ver=number)


@dataclass(frozen=True, slots=True)
class Owed:
    """The leads of a stream's landings after `since` are owed a mark; `committed` was the last of these."""

    source: str
    stream: str
    since: int
    committed: int


def owed(connection: Connection) -> list[Owed]:
    """The histories whose leads are not all marked yet."""
    table = tables.stream.c
    rows = select(table.source, table.stream, table.unmarked_since, table.committed)
    return [Owed(*row) for row in connection.execute(rows.where(table.unmarked_since.is_not(None)))]


def mark_owed(connection: Connection, owed: Owed, dirty: Iterable[Mapping[str, datetime | None]]) -> None:
    """Mark the leads of a history; what landed since somebody looked stays owed.

    Args:
        connection: In a transaction that does nothing else.
        owed: What was looked at, before the lake was.
        dirty: The leads of those landings in parts, as `commit_landing` takes them.
    """
    number, scorecards, table = _next_input_ver(connection), _in_force(connection), tables.stream.c
    for some in dirty:
        for scorecard in scorecards:
            mark_dirty(connection, scorecard, some, number, history=True)
    later = case((table.committed > owed.committed, owed.committed), else_=None)
    connection.execute(
        update(tables.stream)
        .where(table.source == owed.source, table.stream == owed.stream, table.unmarked_since == owed.since)
        .values(unmarked_since=later)
    )


class Numbers(NamedTuple):
    """Of one stream the last landing number given out, and the last one whose leads are marked or owed it."""

    landing: int
    committed: int


NEVER = Numbers(0, 0)
"""Of a stream that nobody has read."""


def landings(connection: Connection) -> dict[tuple[str, str], Numbers]:
    """The numbers of every stream, by source and stream."""
    table = tables.stream
    rows = connection.execute(select(table.c.source, table.c.stream, table.c.landing, table.c.committed))
    return {(row.source, row.stream): Numbers(row.landing, row.committed) for row in rows}


def catch_up(
    connection: Connection,
    source: str,
    stream: str,
    *,
    landing: int,
    whole: int,
    dirty: Mapping[str, datetime | None],
) -> None:
    """Go on after a landing that a lost ledger gave out: its leads are marked, its number is not used again.

    The last one that is `whole` in the lake counts as committed. The cursor stays where it is; whoever reads
    the stream now is shut out.
    """
    given, marked = tables.stream.c.landing, tables.stream.c.committed
    take_fence(connection, source, stream)
    connection.execute(
        update(tables.stream)
        .where(tables.stream.c.source == source, tables.stream.c.stream == stream)
        .values(
            landing=case((given > landing, given), else_=landing),
            committed=case((marked > whole, marked), else_=whole),
        )
    )
    number = _next_input_ver(connection)
    for scorecard in _in_force(connection):
        mark_dirty(connection, scorecard, dirty, number)


def read_again(
    connection: Connection, source: str, stream: str, *, landing: int, whole: int, anew: bool
) -> None:
    """Go on with a lake that lost landings: of its own the last one that is `whole` counts as committed.

    Args:
        connection: In a transaction.
        source: Which source.
        stream: Which of its streams; whoever reads it now is shut out.
        landing: The highest number that the lake knows, which is not used again.
        whole: The last landing that is in the lake with all its parts.
        anew: Read from the beginning, as a history.
    """
    given, marked = tables.stream.c.landing, tables.stream.c.committed
    take_fence(connection, source, stream)
    from_the_beginning = {"cursor": None, "read_at": None} if anew else {}
    connection.execute(
        update(tables.stream)
        .where(tables.stream.c.source == source, tables.stream.c.stream == stream)
        .values(
            landing=case((given > landing, given), else_=landing),
            committed=case((marked < whole, marked), else_=whole),
            **from_the_beginning,
        )
    )


def mark_everybody(connection: Connection) -> None:
    """Mark all leads that have a score as having history: what crosses when they are scored fires nothing."""
    number, score = _next_input_ver(connection), tables.score
    for scorecard in _in_force(connection):
        leads = connection.scalars(select(score.c.lead).where(score.c.scorecard == scorecard))
        mark_dirty(connection, scorecard, dict.fromkeys(leads), number, history=True)


def from_the_start(connection: Connection, source: str) -> None:
    """Let the next run read a source from the start; whoever reads it now is shut out."""
    mine = (tables.stream.c.source == source) & (tables.stream.c.stream != NOTED_HERE)
    for stream in connection.scalars(select(tables.stream.c.stream).where(mine).order_by("stream")).all():
        take_fence(connection, source, stream)
    connection.execute(update(tables.stream).where(mine).values(cursor=None))


def wake(connection: Connection, leads: Mapping[str, Collection[str]]) -> None:
    """Mark leads, by scorecard, whose facts are others now though nothing landed."""
    if not any(leads.values()):
        return
    number = _next_input_ver(connection)
    for scorecard, woken in sorted(leads.items()):
        mark_dirty(connection, scorecard, dict.fromkeys(woken), number)


def note_read(connection: Connection, lease: StreamLease, at: datetime) -> None:
    """Note that a stream has been read to its end.

    Raises:
        Fenced: Somebody else took the stream.
    """
    mine = (tables.stream.c.source == lease.source) & (tables.stream.c.stream == lease.stream)
    noted = connection.execute(
        update(tables.stream).where(mine, tables.stream.c.fence == lease.fence).values(read_at=at)
    )
    if noted.rowcount == 0:
        raise Fenced(f"a newer run reads {lease.source}/{lease.stream} now; this one stops")


def history_complete(connection: Connection) -> bool:
    """Whether every stream that anybody began to read has been read to its end at least once."""
    total, read = connection.execute(
        select(func.count(), func.count(tables.stream.c.read_at)).select_from(tables.stream)
    ).one()
    return bool(total) and total == read


def _in_force(connection: Connection) -> Sequence[str]:
    in_force = select(tables.control.c.scorecard).where(tables.control.c.activation_seq.is_not(None))
    return connection.execute(in_force.order_by(tables.control.c.scorecard)).scalars().all()


def input_ver(connection: Connection) -> int:
    """The number of the last committed landing; facts of every landing up to it are in the lake."""
    number = connection.scalar(select(tables.counter.c.value).where(tables.counter.c.name == INPUT_VER))
    return int(number or 0)


def _next_input_ver(connection: Connection) -> int:
    """Bumped under a row lock that lasts until the commit, so that numbers are in commit order."""
    bump = insert(connection, tables.counter).values(name=INPUT_VER, value=1)
    number = connection.scalar(
        bump.on_conflict_do_update(
            index_elements=["name"], set_={"value": tables.counter.c.value + 1}
        ).returning(tables.counter.c.value)
    )
    assert number is not None  # noqa: S101 - an upsert with RETURNING gives a row
    return int(number)
