"""Dirty marks: which leads may have another score than the committed one, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    DateTime,
    String,
    bindparam,
    case,
    column,
    func,
    literal,
    select,
)

from rescore.ledger import tables
from rescore.ledger.upsert import Insert, insert

MARKS_A_STATEMENT = 50_000
COLUMNS = ("scorecard", "lead", "input_ver", "facts_until")


def mark_dirty(
    connection: Connection, scorecard: str, leads: Mapping[str, datetime | None], number: int
) -> None:
    """Mark leads with an input version; a mark never goes back, neither in version nor in `facts_until`.

    Everybody locks leads in the order of their keys.
    """
    mark = _copy if connection.dialect.name == "postgresql" else _insert_many
    ordered = iter(sorted(leads.items()))
    while some := list(islice(ordered, MARKS_A_STATEMENT)):
        mark(connection, scorecard, some, number)


def later(kept: Any, new: Any) -> Any:
    """SQL for the greater of two values, where null is the smallest."""
    return case((kept.is_(None), new), (new > kept, new), else_=kept)


Marks = Iterable[tuple[str, datetime | None]]


def _copy(connection: Connection, scorecard: str, marks: Marks, number: int) -> None:
    """PostgreSQL's bulk path that needs no right to make tables: two arrays become rows of one statement."""
    leads, moments = zip(*marks, strict=True)
    given = func.unnest(
        bindparam("leads", type_=ARRAY(String)), bindparam("moments", type_=ARRAY(DateTime(timezone=True)))
    ).table_valued(column("lead", String), column("facts_until", DateTime(timezone=True)))
    given = given.render_derived(name="given")
    rows = select(literal(scorecard), given.c.lead, literal(number, BigInteger), given.c.facts_until)
    rows = rows.order_by(given.c.lead.collate("C"))
    upsert = _never_back(insert(connection, tables.dirty).from_select(COLUMNS, rows))
    connection.execute(upsert, {"leads": list(leads), "moments": list(moments)})


def _insert_many(connection: Connection, scorecard: str, marks: Marks, number: int) -> None:
    """SQLite's bulk path: one prepared statement, run by the driver for every row."""
    leads, moments = zip(*marks, strict=True)
    naive = pa.array(moments, pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    as_texts = pc.strftime(naive, "%Y-%m-%d %H:%M:%S").to_pylist()  # as `UtcDateTime` has it
    upsert = _never_back(
        insert(connection, tables.dirty).values({name: bindparam(name) for name in COLUMNS})
    ).compile(dialect=connection.dialect)
    cursor = connection.connection.cursor()
    rows = zip([scorecard] * len(leads), leads, [number] * len(leads), as_texts, strict=True)
    cursor.executemany(str(upsert), list(rows))
    cursor.close()


def _never_back(marks: Insert) -> Insert:
    return marks.on_conflict_do_update(
        index_elements=["scorecard", "lead"],
        set_={
            "input_ver": later(tables.dirty.c.input_ver, marks.excluded.input_ver),
            "facts_until": later(tables.dirty.c.facts_until, marks.excluded.facts_until),
        },
    )


def marks_of(connection: Connection, scorecard: str) -> pa.Table:
    """The leads whose score may have changed: lead, input_ver, and facts_until in naive UTC."""
    dirty = tables.dirty.c
    found = connection.execute(
        select(dirty.lead, dirty.input_ver, dirty.facts_until).where(dirty.scorecard == scorecard)
    ).all()
    leads, versions, until = zip(*found, strict=True) if found else ((), (), ())
    naive = [moment and moment.replace(tzinfo=None) for moment in until]
    columns = {"lead": pa.array(leads, pa.string()), "input_ver": pa.array(versions, pa.int64())}
    return pa.table(columns | {"facts_until": pa.array(naive, pa.timestamp("us"))})
