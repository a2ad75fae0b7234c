"""Lists that page by token between two moments: resumable after every page, never in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import JsonObject, Refused
from rescore.connectors.hubspot.values import milliseconds, read_moment
from rescore.errors import CrmUnavailable, CursorStuck

Rows = list[JsonObject]


def rows_of(answer: JsonObject, name: str, *, what: str) -> Rows:
    """The list under a name of an answer; things in it that are no objects are left out.

    Raises:
        CrmUnavailable: There is no such list.
    """
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise CrmUnavailable(f"{what} answered without `{name}`; the next run tries again")
    return [row for row in rows if isinstance(row, dict)]


def next_token(answer: JsonObject) -> str | None:
    """HubSpot's usual `paging.next.after`.

    Raises:
        CrmUnavailable: There is another page, and how to ask for it cannot be read.
    """
    paging = answer.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else paging
    token = following.get("after") if isinstance(following, dict) else following
    if not token:
        return None
    if not isinstance(following, dict) or not isinstance(token, str | int):
        raise CrmUnavailable("HubSpot named a next page that nobody can ask for; the next run tries again")
    return str(token)


def follow(
    ask: Callable[[str | None], tuple[Rows, str | None]], token: str | None, *, what: str
) -> Iterator[tuple[Rows, str | None]]:
    """Pages from a token on (None: the first), each with the token behind it (None: it was the last).

    A kept token that the server no longer takes starts the list again: rows come twice, none is missed.

    Raises:
        CursorStuck: A token came again.
    """
    try:
        rows, following = ask(token)
    except Refused:
        if token is None:
            raise
        token = None
        rows, following = ask(token)
    seen = {token}
    while following is not None:
        if following in seen:
            raise CursorStuck(f"{what}: a page leads back to one already read")
        seen.add(following)
        yield rows, following
        rows, following = ask(following)
    yield rows, None


def window_pages(
    ask: Callable[[int, int, str | None], tuple[Rows, str | None]],
    cursor: Cursor | None,
    *,
    moment: str,
    overlap: float,
    until: datetime,
    what: str,
) -> Iterator[tuple[Rows, Cursor]]:
    """Rows of `[since - overlap, until]`, newest or oldest first, and the cursor after each page.

    Between windows the cursor is `{"since": ms}`: the latest moment ever seen and not `until`, so that
    rows which reach the list late are still found. Within one it keeps the window and the token.

    Args:
        ask: Given start and end in milliseconds and a token, one page and the next token.
        cursor: As above; None reads everything.
        moment: The key of a row that holds its time.
        overlap: Seconds to read again before `since`.
        until: The end of the last window.
        what: The name of the list in errors.
    """
    state, final = dict(cursor or {}), milliseconds(until)
    while True:
        since, end = state.get("since", 0), state.get("until", final)
        newest, start = state.get("newest", since), max(0, since - round(overlap * 1000))
        for rows, token in follow(lambda t: ask(start, end, t), state.get("after"), what=what):  # noqa: B023
            newest = max(newest, *(seen for row in rows if (seen := _moment(row, moment)) <= end), 0)
            state = {"since": since, "until": end, "after": token, "newest": newest}
            yield rows, state if token else {"since": newest}
        if end >= final:
            return
        state = {"since": newest}


def _moment(row: JsonObject, key: str) -> int:
    try:
        return milliseconds(read_moment(row.get(key)))
    except ValueError:
        return 0
