"""How a lead's score came about: its last changes, each with its causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from rescore.causes import read_causes
from rescore.ledger import tables

LAST = 10
"""How many changes are told."""


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change of a score; `causes` are whole points and sum to it, `version` is of the rules."""

    as_of: datetime
    old_score: int | None
    new_score: int | None
    old_band: str | None
    new_band: str | None
    version: int
    run_key: str
    causes: Mapping[str, int]


def last_changes(
    connection: Connection, scorecard: str, lead: str, *, until: datetime | None = None
) -> list[Change]:
    """The lead's last changes, newest first, of all or of those up to a time."""
    delta, activation = tables.delta, tables.activation
    query = (
        select(delta, activation.c.version_seq)
        .join(
            activation,
            (activation.c.scorecard == delta.c.scorecard)
            & (activation.c.activation_seq == delta.c.activation_seq),
        )
        .where(delta.c.scorecard == scorecard, delta.c.lead == lead)
        .order_by(delta.c.ver.desc())
        .limit(LAST)
    )
    if until is not None:
        query = query.where(delta.c.as_of <= until)
    return [
        Change(
            as_of=row.as_of,
            old_score=row.old_score,
            new_score=row.new_score,
            old_band=row.old_band,
            new_band=row.new_band,
            version=row.version_seq,
            run_key=row.run_key,
            causes=read_causes(row.causes),
        )
        for row in connection.execute(query)
    ]
