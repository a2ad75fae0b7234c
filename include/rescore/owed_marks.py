"""The leads of a history that landed in bulk are marked together, before anybody asks whom to score.

One landing after the other tells of nearly the same leads, and marking them each time would take longer than
landing. The lake remembers who they are, the ledger that they are owed it.
"""

from __future__ import annotations

from rescore.ledger.scores import streams
from rescore.workspace import Workspace


def make_owed_marks(ws: Workspace) -> None:
    """Mark whom a history has told of; call it before an input version is pinned, or marks are read."""
    with ws.ledger.reading() as connection:
        owed = streams.owed(connection)
    for one in owed:
        landed = ws.lake.landed_after(one.source, one.stream, one.since)
        with landed as leads, ws.ledger.transaction() as connection:
            streams.mark_owed(connection, one, leads)
