"""Was one of the two stores restored from a backup, or lost? Then nothing is sent until a person says so.

A landing number is given out by the ledger before the lake hears of it, and committed there after the lake
has it. So a lake that knows a higher one has seen a later ledger; one that lacks a committed one is older.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rescore.errors import InputUnreadable, LakeBehind
from rescore.ledger.outbox import restored
from rescore.ledger.people import records
from rescore.ledger.scores import streams
from rescore.ledger.scores.streams import NEVER, NOTED_HERE
from rescore.whole_lake import lacking, lake_behind
from rescore.workspace import Workspace


def notice_restore(ws: Workspace, *, at: datetime, also: Iterable[tuple[str, str]] = ()) -> bool:
    """Look before anything is landed or sent; call it before a fence is taken, which hides the difference.

    What landed after the ledger's backup is in the lake, and its marks were lost: they are made again. The
    cursors stay where the backup has them, so that everything since then is read once more and found known.

    Args:
        ws: The stores.
        at: The present.
        also: Streams, as (source, stream), that the restored ledger may never have heard of.

    Returns:
        Whether a restored ledger was noticed now.

    Raises:
        LakeBehind: The lake is the older one. The ledger notes it: nothing is sent, nothing may be landed.
    """
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
    if lost := lacking(ws, known):
        with ws.ledger.transaction() as connection:
            held = restored.restored(connection)
            if held is None or held.why != lost:
                restored.notice(connection, at=at, why=lost)
        raise LakeBehind(f"{lost}; nothing is scored or sent, `rescore restored` says what to do")
    # lake first, ledger second: whoever lands between the two looks has raised the ledger's number before
    in_lake = ws.lake.landings({*known, *also})
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
    ahead = {name: number for name, number in in_lake.items() if number > known.get(name, NEVER).landing}
    if not ahead:
        return False
    whole = ws.lake.whole(ahead)
    marks: dict[tuple[str, str], dict[str, datetime | None]] = {name: {} for name in ahead}
    for name, leads in marks.items():
        with ws.lake.landed_after(*name, known.get(name, NEVER).committed) as parts:
            for some in parts:
                leads |= some
    told = ", ".join(f"{source}/{stream}" for source, stream in sorted(ahead))
    with ws.ledger.transaction() as connection:
        for name, number in sorted(ahead.items()):
            streams.catch_up(connection, *name, landing=number, whole=whole[name], dirty=marks[name])
        why = f"the lake holds landings of {told} that this ledger never gave out"
        restored.notice(connection, at=at, why=why)
    return True


def read_again(ws: Workspace, *, at: datetime, by: str) -> None:
    """Go on with a lake that lost facts: every mapped source is read from its beginning, as a history.

    What the lake has is recognised. Until every stream was read to its end nothing is scored; then everybody
    is, and nothing fires by it. Sending stays held until a person resumes.

    Args:
        ws: The stores.
        at: The present.
        by: Who says so; it is kept.

    Raises:
        InputUnreadable: The lake lacks nothing, and nobody said that a store was restored.
    """
    lost = lake_behind(ws)
    sources = ws.mappings().keys()
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
        held = restored.restored(connection)
    if lost is None and held is None:
        raise InputUnreadable(
            "the lake holds everything that the ledger has committed, so there is nothing to read again; "
            "if you know better, say `rescore restored --hold` first"
        )
    highest, whole = ws.lake.landings(known), ws.lake.whole(known)
    with ws.ledger.transaction() as connection:
        for source, stream in sorted(known):
            streams.read_again(
                connection,
                source,
                stream,
                landing=highest[source, stream],
                whole=whole[source, stream],
                anew=source in sources and stream != NOTED_HERE,
            )
        records.take_any_place(connection)
        streams.mark_everybody(connection)
        why = f"{by} has the history read again" + (f": {lost}" if lost else "")
        restored.notice(connection, at=at, why=why, reading_again=True)
