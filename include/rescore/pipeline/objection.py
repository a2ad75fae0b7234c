"""Notes that a person objects to profiling, or no longer does: a fact in the lake, in force at once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection

from rescore.ledger.outbox.wishes import want_withdrawn
from rescore.ledger.people import identity
from rescore.pipeline.noting import note
from rescore.withheld import OBJECTED_HERE
from rescore.workspace import Workspace


def note_objection(ws: Workspace, lead: str, *, objects: bool, at: datetime) -> Counter[str]:
    """Keep a lead, and every record merged with it, outside every audience; or let it back in.

    Its score becomes null now, and what is owed to automations about it is cancelled; CRMs are told by the
    next run. The CRM's own word, where the mapping names a property for it, counts too, from its next run on.

    Args:
        ws: The stores.
        lead: Its key.
        objects: False withdraws what was noted here.
        at: The present (aware).

    Returns:
        Counts: `objections noted` or `objections withdrawn`, by record; scores withdrawn (`objecting`), by
        record and scorecard; deliveries `cancelled`.

    Raises:
        InputUnreadable: The lake does not know the lead.
        Fenced: Somebody else noted something at this moment; do it again.
        LakeBehind: Facts are missing that the ledger has committed.
    """

    def withdrawn(connection: Connection, family: set[str], input_ver: int) -> Counter[str]:
        if not objects:
            return Counter()
        counts = identity.follow_objection(connection, family, input_ver=input_ver, at=at)
        want_withdrawn(connection, family)
        return counts

    return note(ws, lead, OBJECTED_HERE, holds=objects, at=at, besides=withdrawn)
