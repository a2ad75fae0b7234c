"""What must hold of deltas: every change of a score is told by one, and each goes on from the one before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, select

from rescore.ledger import tables
from rescore.withheld import MERGED

KEPT = timedelta(days=1)
"""Deltas that are younger have not been tidied away yet."""


def untold_changes(connection: Connection, now: datetime) -> Iterator[str]:
    """Scores of record that their lead's deltas do not lead to; of a lead that was merged nothing is told."""
    delta, score = tables.delta, tables.score
    told: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(delta).order_by(delta.c.ver)):
        told[row.scorecard, row.lead].append(row)
    for row in connection.execute(select(score).order_by(score.c.lead)):
        deltas = told[row.scorecard, row.lead]
        if row.withheld == MERGED or row.ver == 0:
            continue
        if not deltas:
            if row.changed_at > now - KEPT:
                yield f"{row.lead} came to {row.score} points and has no delta"
        elif (deltas[-1].ver, deltas[-1].new_score) != (row.ver, row.score):
            yield f"{row.lead} came to {row.score} points and has no delta of version {row.ver}"
        for before, after in pairwise(deltas):
            if after.old_score != before.new_score:
                yield f"{row.lead} went from {before.new_score} to {after.old_score} points without a delta"
