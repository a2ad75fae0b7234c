"""Does the lake hold everything that the ledger has committed? Where it does not, nothing is scored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from rescore.errors import LakeBehind
from rescore.lake.landings import Stream
from rescore.ledger.outbox.restored import restored
from rescore.ledger.scores import streams
from rescore.ledger.scores.streams import Numbers
from rescore.scoring.facts import Facts
from rescore.workspace import Workspace


def lake_behind(ws: Workspace) -> str | None:
    """In a sentence, what the lake lacks of the landings that the ledger has committed; None: nothing.

    A landing is in the lake before the ledger commits it. So a lake that lacks one is an older copy, or
    another one, or is not there.
    """
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
    return lacking(ws, known)


def lacking(ws: Workspace, known: Mapping[Stream, Numbers]) -> str | None:
    """The same of numbers that the ledger had a moment ago: a lake only grows."""
    return ws.lake.behind(_committed(known))


def require_facts(ws: Workspace) -> None:
    """Before anything is concluded from the facts: all of them are there.

    Raises:
        LakeBehind: The lake is older than the ledger, or what it lost is being read again.
    """
    if why := ws.lake.behind(_required(ws)):
        raise LakeBehind(f"{why}; {_SO}")


@contextmanager
def whole_facts(ws: Workspace, leads: Collection[str] | None, *, fields: Collection[str]) -> Iterator[Facts]:
    """The facts of tables that hold every landing which the ledger had committed; see `Lake.facts`.

    Raises:
        LakeBehind: They do not: a volume may have gone since somebody looked. Or what the lake had lost is
            being read again.
    """
    with ExitStack() as opened:
        try:
            known = ws.lake.facts(leads, fields=fields, committed=_required(ws))
            facts = opened.enter_context(known)
        except LakeBehind as behind:
            raise LakeBehind(f"{behind}; {_SO}") from None
        yield facts


_SO = "nothing is scored or sent, `rescore restored` says what to do"


def _required(ws: Workspace) -> dict[Stream, int]:
    """The landings that the ledger has committed; refused while the history is read again."""
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
        held = restored(connection)
        reading = held is not None and held.reading_again and not streams.history_complete(connection)
    if reading:
        raise LakeBehind(
            "the history is being read again, because the lake had lost facts; nothing is scored or sent "
            "until `score_leads` has read every stream to its end"
        )
    return _committed(known)


def _committed(known: Mapping[Stream, Numbers]) -> dict[Stream, int]:
    return {stream: numbers.committed for stream, numbers in known.items()}
