"""Lists that page by token between two moments: resumable after every page, never in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot.client import JsonObject, Refused
from rescore.connectors.hubspot.values import milliseconds, read_moment
from rescore.errors import CrmUnavailable, CursorStuck

Rows = list[JsonObject]
Ask = Callable[[int, int, str | None], tuple[Rows, str | None]]
"""Given start and end in milliseconds and a token, one page and the next token."""

DAY = 86_400_000


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
    ask: Ask,
    cursor: Cursor,
    *,
    moment: str,
    overlap: float,
    until: datetime,
    what: str,
) -> Iterator[tuple[Rows, Cursor]]:
    """Rows of `[since - overlap, until]`, newest or oldest first, and the cursor after each page.

    Between windows the cursor is `{"since": ms}`: the latest moment ever seen and not `until`, so that
    rows which reach the list late are still found. Within one it keeps the window and the token, and within
    a history (see `newest_windows`) also where that begins.

    Args:
        ask: See `Ask`.
        cursor: As above.
        moment: The key of a row that holds its time.
        overlap: Seconds to read again before `since`.
        until: The end of the last window.
        what: The name of the list in errors.
    """
    state, final = dict(cursor), milliseconds(until)
    while True:
        window = {"until": final, "newest": state["since"]} | state
        since, end, newest = window["since"], window["until"], window["newest"]
        token, start = window.pop("after", None), max(0, since - round(overlap * 1000))
        for rows, token in follow(lambda t: ask(start, end, t), token, what=what):  # noqa: B020, B023
            newest = max(newest, *(seen for row in rows if (seen := _moment(row, moment)) <= end), 0)
            window["newest"] = newest
            state = window | {"after": token} if token else _window_before(window) or {"since": newest}
            yield rows, state
        if "until" not in state and end >= final:
            return


def newest_windows(oldest: int, until: datetime) -> Cursor:
    """Where a history in windows begins: the last day, then twice as long before it, down to `oldest`."""
    end = milliseconds(until)
    return {"since": max(oldest, end - DAY), "until": end, "oldest": oldest, "newest": oldest}


def _window_before(window: Cursor) -> Cursor | None:
    """The next window of a history; None behind its last one, and where there is none."""
    since, oldest = window["since"], window.get("oldest")
    if oldest is None or since <= oldest:
        return None
    return window | {"since": max(oldest, since - 2 * (window["until"] - since)), "until": since}


def _moment(row: JsonObject, key: str) -> int:
    try:
        return milliseconds(read_moment(row.get(key)))
    except ValueError:
        return 0
