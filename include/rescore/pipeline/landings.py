"""A source's pages glued into landings that are worth a commit, without what is older than the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from rescore.errors import RescoreError
from rescore.lake.records import Page

ROWS_A_LANDING = 20_000
"""Bounds memory, and what a crash has to fetch again; every landing costs one commit in each store."""

BATCH_ROWS_A_LANDING = 1_000_000
"""The same for activities that come as columns: a process that lands them needs 1.4 gigabytes."""

TimeIsUp = Callable[[], bool]


def never() -> bool:
    """There is all the time in the world."""
    return False


def worth_a_commit(pages: Iterable[Page], enough: Callable[[], bool]) -> Iterator[Page]:
    """Pages glued together until there are many, or enough, or the source fails: what was read is landed."""
    waiting: list[Page] = []
    rows = many = 0
    try:
        for page in pages:
            waiting.append(page)
            rows += page.rows - page.batch_rows
            many += page.batch_rows
            if rows >= ROWS_A_LANDING or many >= BATCH_ROWS_A_LANDING or enough():
                yield _glued(waiting)
                waiting, rows, many = [], 0, 0
    except RescoreError:
        if waiting:
            yield _glued(waiting)
        raise
    if waiting:
        yield _glued(waiting)


def since(pages: Iterable[Page], oldest: datetime, counts: Counter[str]) -> Iterator[Page]:
    """The same pages without the activities before a moment, which are counted; leads all stay."""
    for page in pages:
        kept = replace(
            page,
            activities=[one for one in page.activities if one.occurred_at >= oldest],
            unclaimed=[one for one in page.unclaimed if one.activity.occurred_at >= oldest],
            batch=_since(page.batch, oldest),
        )
        if left_out := page.rows - kept.rows:
            counts["older than the history"] += left_out
        yield kept


def _since(batch: pa.Table | None, oldest: datetime) -> pa.Table | None:
    """A time that could not be read stays: the lake sets its row aside."""
    if batch is None:
        return None
    times = batch["occurred_at"]
    bound = pa.scalar(oldest, times.type)
    return batch.filter(pc.or_kleene(pc.is_null(times), pc.greater_equal(times, bound)))


def _glued(pages: Sequence[Page]) -> Page:
    batches = [page.batch for page in pages if page.batch is not None]
    return Page(
        leads=[lead for page in pages for lead in page.leads],
        activities=[activity for page in pages for activity in page.activities],
        set_aside=[record for page in pages for record in page.set_aside],
        cursor=pages[-1].cursor,
        unclaimed=[activity for page in pages for activity in page.unclaimed],
        accounts=[account for page in pages for account in page.accounts],
        again=sum(page.again for page in pages),
        batch=pa.concat_tables(batches, promote_options="default") if batches else None,
    )
