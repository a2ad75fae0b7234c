"""Notes that a lead is a person, so that no quarantine takes what it did; or takes that back."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rescore.pipeline.noting import note
from rescore.withheld import RELEASED_HERE
from rescore.workspace import Workspace


def note_release(ws: Workspace, lead: str, *, released: bool, at: datetime) -> Counter[str]:
    """Let everything count that a lead, and every record merged with it, ever did; or end that.

    It is a fact in the lake for every scorecard, and the next run scores the lead anew.

    Args:
        ws: The stores.
        lead: Its key.
        released: False withdraws what was noted here.
        at: The present (aware).

    Returns:
        Counts: `releases noted` or `releases withdrawn`, by record.

    Raises:
        InputUnreadable: The lake does not know the lead.
        Fenced: Somebody else noted something at this moment; do it again.
        LakeBehind: Facts are missing that the ledger has committed.
    """
    return note(ws, lead, RELEASED_HERE, holds=released, at=at)
