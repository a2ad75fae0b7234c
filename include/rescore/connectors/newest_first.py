"""A stream's history newest first, and after it, or between two parts of it, what changed meanwhile.

The history is what was there at the first reading, last changed up to its `until`. What changes while it is
read leaves it for the news, which are read oldest first: so nothing falls between the two, and whatever of a
record is read last is newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from rescore.connectors.base import Cursor

HISTORY = "history"
Rows = TypeVar("Rows")
Read = Callable[[Cursor], Iterator[tuple[Rows, Cursor]]]
"""From a place on: rows, and the place behind them."""


def newest_first(
    cursor: Cursor | None,
    *,
    beginning: Cursor,
    back: Read[Rows],
    news_from: Callable[[Rows], Cursor],
    news: Read[Rows],
) -> Iterator[tuple[Rows, Cursor]]:
    """Rows of a stream from its cursor on, and the cursor behind them.

    As long as the history is not read to its end, the cursor holds under `history` where to go on with it,
    beside that of the news. A later reading of the same history begins with the news.

    Args:
        cursor: Where to go on; None or nothing for a first reading.
        beginning: Where the history begins.
        back: Reads the history; its place is empty behind the last rows.
        news_from: From the first rows of a history, where the news begin.
        news: Reads what changed.
    """
    since = {name: value for name, value in (cursor or {}).items() if name != HISTORY}
    left = (cursor or {HISTORY: beginning}).get(HISTORY)
    if since:
        for rows, following in news(since):
            since = following
            yield rows, since | ({HISTORY: left} if left else {})
    for rows, further in back(left) if left else ():
        since = since or news_from(rows)
        yield rows, since | ({HISTORY: further} if further else {})
