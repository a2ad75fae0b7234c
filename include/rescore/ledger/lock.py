"""One decision at a time: whoever decides about a scorecard holds its row of `control`."""

from __future__ import annotations

from sqlalchemy import Connection, select

from rescore.ledger import tables
from rescore.ledger.upsert import insert


def lock_scorecard(connection: Connection, scorecard: str) -> None:
    """Lock the scorecard until the end of the transaction: whoever decides about it goes one at a time."""
    connection.execute(
        insert(connection, tables.control)
        .values(scorecard=scorecard, paused=False, first_load_done=False)
        .on_conflict_do_nothing()
    )
    connection.execute(
        select(tables.control).where(tables.control.c.scorecard == scorecard).with_for_update()
    )
