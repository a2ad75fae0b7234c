"""Dirty marks: which leads may have another score than the committed one, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from rescore.ledger import tables
from rescore.ledger.upsert import Insert, insert

MARKS_A_STATEMENT = 50_000
COLUMNS = ("scorecard", "lead", "input_ver", "facts_until", "history")


def mark_dirty(
    connection: Connection,
    scorecard: str,
    leads: Mapping[str, datetime | None],
    number: int,
    *,
    history: bool = False,
) -> None:
    """Mark leads with an input version; a mark never goes back, neither in version nor in `facts_until`.

    Once some of a lead's new facts are `history`, its mark says so until a run has covered it.
    Everybody locks leads in the order of their keys.
    """
    mark = _in_one_statement if connection.dialect.name == "postgresql" else _insert_many
    ordered = iter(sorted(leads.items()))
    while some := list(islice(ordered, MARKS_A_STATEMENT)):
        mark(connection, scorecard, some, number, history)


def later(kept: Any, new: Any) -> Any:
    """SQL for the greater of two values, where null is the smallest."""
    return case((kept.is_(None), new), (new > kept, new), else_=kept)


Marks = Iterable[tuple[str, datetime | None]]


def _in_one_statement(
    connection: Connection, scorecard: str, marks: Marks, number: int, history: bool
) -> None:
    """PostgreSQL's bulk path that needs no right to make tables: two JSON lists become rows of a statement.

    Lists of its own kind would be written value by value by the driver, which takes ten times as long.
    """
    leads, moments = zip(*marks, strict=True)
    lists = (bindparam(name, type_=JSON) for name in ("leads", "moments"))
    lead, at = map(func.json_array_elements_text, lists)
    given = select(lead.label("lead"), at.label("until")).subquery()
    until = cast(given.c.until, DateTime(timezone=True))
    same = (literal(number, BigInteger), literal(history))
    rows = select(literal(scorecard), given.c.lead, same[0], until, same[1])
    rows = rows.order_by(given.c.lead.collate("C"))
    upsert = _never_back(insert(connection, tables.dirty).from_select(COLUMNS, rows))
    connection.execute(upsert, {"leads": leads, "moments": [m and f"{m}+00" for m in _as_texts(moments)]})


def _insert_many(connection: Connection, scorecard: str, marks: Marks, number: int, history: bool) -> None:
    """SQLite's bulk path: one prepared statement, run by the driver for every row."""
    leads, moments = zip(*marks, strict=True)
    upsert = _never_back(
        insert(connection, tables.dirty).values({name: bindparam(name) for name in COLUMNS})
    ).compile(dialect=connection.dialect)
    cursor = connection.connection.cursor()
    rows = [
        (scorecard, lead, number, at, history) for lead, at in zip(leads, _as_texts(moments), strict=True)
    ]
    cursor.executemany(str(upsert), rows)
    cursor.close()


def _as_texts(moments: Iterable[datetime | None]) -> list[str | None]:
    """In UTC and to the microsecond, as `UtcDateTime` has them on SQLite."""
    return [
        None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        for moment in moments
    ]


def _never_back(marks: Insert) -> Insert:
    return marks.on_conflict_do_update(
        index_elements=["scorecard", "lead"],
        set_={
            "input_ver": later(tables.dirty.c.input_ver, marks.excluded.input_ver),
            "facts_until": later(tables.dirty.c.facts_until, marks.excluded.facts_until),
            "history": or_(tables.dirty.c.history, marks.excluded.history),
        },
    )
