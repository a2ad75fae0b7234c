"""The leads that are marked, as columns, for whoever joins them with facts."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Connection, select

from rescore.ledger import tables


def marks_of(connection: Connection, scorecard: str) -> pa.Table:
    """The leads whose score may have changed: lead, input_ver, facts_until in naive UTC, and history."""
    dirty = tables.dirty.c
    found = connection.execute(
        select(dirty.lead, dirty.input_ver, dirty.facts_until, dirty.history).where(
            dirty.scorecard == scorecard
        )
    ).all()
    leads, versions, until, history = zip(*found, strict=True) if found else ((), (), (), ())
    naive = [moment and moment.replace(tzinfo=None) for moment in until]
    return pa.table(
        {
            "lead": pa.array(leads, pa.string()),
            "input_ver": pa.array(versions, pa.int64()),
            "facts_until": pa.array(naive, pa.timestamp("us")),
            "history": pa.array(history, pa.bool_()),
        }
    )
