"""Does the lake hold everything that the ledger has committed? Where it does not, nothing is scored."""

from __future__ import annotations

from collections.abc import Mapping

from rescore.errors import LakeBehind
from rescore.ledger.outbox.restored import restored
from rescore.ledger.scores import streams
from rescore.ledger.scores.streams import Numbers
from rescore.workspace import Workspace


def lake_behind(ws: Workspace) -> str | None:
    """In a sentence, what the lake lacks of the landings that the ledger has committed; None: nothing.

    A landing is in the lake before the ledger commits it. So a lake that lacks one is an older copy, or
    another one, or is not there.
    """
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
    return lacking(ws, known)


def lacking(ws: Workspace, known: Mapping[tuple[str, str], Numbers]) -> str | None:
    """The same of numbers that the ledger had a moment ago: a lake only grows."""
    return ws.lake.behind({stream: numbers.committed for stream, numbers in known.items()})


def require_facts(ws: Workspace) -> None:
    """Before anything is concluded from the facts: all of them are there.

    Raises:
        LakeBehind: The lake is older than the ledger, or what it lost is being read again.
    """
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
        held = restored(connection)
        reading = held is not None and held.reading_again and not streams.history_complete(connection)
    if why := lacking(ws, known):
        raise LakeBehind(f"{why}; nothing is scored or sent, `rescore restored` says what to do")
    if reading:
        raise LakeBehind(
            "the history is being read again, because the lake had lost facts; nothing is scored or sent "
            "until `score_leads` has read every stream to its end"
        )
