"""How much did each extract bring, and how much would the same hours of earlier weeks let us expect?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import Connection, delete, func, select, update

from rescore.ledger import tables
from rescore.ledger.upsert import insert
from rescore.policy.limits import ExtractMeasure

WEEK = timedelta(days=7)
WEEKS = 4
ENOUGH_WEEKS = 2
"""A week alone may have been an odd one."""


@dataclass(frozen=True, slots=True)
class _Extract:
    since: datetime
    until: datetime
    rows: int


def note_extract(connection: Connection, source: str, stream: str, *, until: datetime) -> None:
    """Note that a stream was read up to a moment, and how many rows it brought since the last time.

    That counts what interrupted readings landed. A second reading up to the same moment adds to the first;
    what no prediction needs any more is dropped.
    """
    table, lease = tables.extract, tables.stream
    mine = (table.c.source == source) & (table.c.stream == stream)
    at_stream = (lease.c.source == source) & (lease.c.stream == stream)
    rows = connection.scalar(select(lease.c.rows).where(at_stream).with_for_update())
    connection.execute(update(lease).where(at_stream).values(rows=0))
    since = connection.scalar(select(func.max(table.c.until)).where(mine, table.c.until < until))
    row = insert(connection, table).values(source=source, stream=stream, until=until, since=since, rows=rows)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["source", "stream", "until"], set_={"rows": table.c.rows + row.excluded.rows}
        )
    )
    connection.execute(delete(table).where(mine, table.c.until < until - (WEEKS + 1) * WEEK))


def latest_extracts(connection: Connection) -> tuple[ExtractMeasure, ...]:
    """What the last extract of each stream brought, where its history lets us expect something.

    The rows expected are the median of the same window one to four weeks earlier; a history that covers
    fewer than two of these predicts nothing.
    """
    table = tables.extract
    streams: dict[tuple[str, str], list[_Extract]] = {}
    for row in connection.execute(select(table).order_by(table.c.source, table.c.stream, table.c.until)):
        if row.since is not None:
            streams.setdefault((row.source, row.stream), []).append(_Extract(row.since, row.until, row.rows))
    measures = []
    for (source, stream), (*earlier, last) in streams.items():
        expected = _expected(last, earlier)
        if expected is not None:
            measures.append(ExtractMeasure(source, stream, last.rows, expected))
    return tuple(measures)


def _expected(last: _Extract, earlier: Sequence[_Extract]) -> float | None:
    weeks = []
    for back in range(1, WEEKS + 1):
        since, until = last.since - back * WEEK, last.until - back * WEEK
        if earlier and earlier[0].since <= since:
            weeks.append(sum(_share(extract, since, until) for extract in earlier))
    return median(weeks) if len(weeks) >= ENOUGH_WEEKS else None


def _share(extract: _Extract, since: datetime, until: datetime) -> float:
    """How many of an extract's rows fall into a window, if they came evenly."""
    inside = min(extract.until, until) - max(extract.since, since)
    return extract.rows * max(inside / (extract.until - extract.since), 0.0)
