"""What shows in no modified date is found by reading everything again in turn, a little in each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rescore.connectors.hubspot.client import Client
from rescore.connectors.hubspot.windows import Rows, follow, next_token, rows_of

EVERY = 86_400_000
"""Milliseconds from the beginning of one sweep to that of the next, if it is over by then."""


class Sweep:
    """Records of one kind by id, `Limits.sweep` pages a run, once a day where that is enough.

    Its state is `{"began": ms}`, and `{"after": token}` beside it until the sweep is over. The first one
    begins a day after the stream's first reading, which reads everything anyway.

    Args:
        client: The account.
        listing: The path that lists them; None for no sweep.
        properties: Those to read.
        state: Of the last run; None before the first.
        now: In milliseconds.
    """

    def __init__(
        self,
        client: Client,
        listing: str | None,
        *,
        properties: Sequence[str],
        state: Mapping[str, Any] | None,
        now: int,
    ) -> None:
        self._client = client
        self._listing = listing
        self._properties = properties
        self._now = now
        self.state: dict[str, Any] = dict(state or {"began": now}) if listing else {}

    def rows(self) -> Iterator[Rows]:
        """This run's pages; after each of them `state` is where to go on."""
        path, token = self._listing, self.state.get("after")
        if path is None:
            return
        if token is None:
            if self._now - self.state["began"] < EVERY:
                return
            self.state = {"began": self._now}

        def ask(after: str | None) -> tuple[Rows, str | None]:
            params = {"limit": self._client.limits.batch, "properties": list(self._properties)}
            answer = self._client.get(path, params | ({"after": after} if after else {}))
            return rows_of(answer, "results", what=f"GET {path}"), next_token(answer)

        began = self.state["began"]
        for number, (rows, following) in enumerate(follow(ask, token, what=f"GET {path}"), 1):
            self.state = {"began": began} | ({"after": following} if following else {})
            yield rows
            if number >= self._client.limits.sweep:
                return
