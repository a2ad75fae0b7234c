"""Is this ledger older than the lake beside it? Then it was restored from a backup, and nothing is sent.

A landing number is given out by the ledger before the lake hears of it. So a lake that knows a higher one
has seen a later ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rescore.ledger.outbox import restored
from rescore.ledger.scores import streams
from rescore.ledger.scores.streams import NEVER
from rescore.workspace import Workspace


def notice_restore(ws: Workspace, *, at: datetime, also: Iterable[tuple[str, str]] = ()) -> bool:
    """Look before anything is landed or sent; call it before a fence is taken, which hides the difference.

    What landed after the backup is in the lake, and its marks were lost: they are made again. The cursors
    stay where the backup has them, so that everything since then is read once more and found known.

    Args:
        ws: The stores.
        at: The present.
        also: Streams, as (source, stream), that the restored ledger may never have heard of.

    Returns:
        Whether a restore was noticed now.
    """
    with ws.ledger.reading() as connection:
        names = {*streams.landings(connection), *also}
    # lake first, ledger second: whoever lands between the two looks has raised the ledger's number before
    in_lake = ws.lake.landings(names)
    with ws.ledger.reading() as connection:
        known = streams.landings(connection)
    ahead = {name: number for name, number in in_lake.items() if number > known.get(name, NEVER).landing}
    if not ahead:
        return False
    marks = {name: ws.lake.landed_after(*name, known.get(name, NEVER).committed) for name in ahead}
    told = ", ".join(f"{source}/{stream}" for source, stream in sorted(ahead))
    with ws.ledger.transaction() as connection:
        for (source, stream), number in sorted(ahead.items()):
            streams.catch_up(connection, source, stream, landing=number, dirty=marks[source, stream])
        why = f"the lake holds landings of {told} that this ledger never gave out"
        restored.notice(connection, at=at, why=why)
    return True
