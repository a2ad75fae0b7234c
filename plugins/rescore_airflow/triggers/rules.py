"""Waits, without occupying a worker, until the rules on disk call for action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from rescore.errors import RescoreError, RetryableError
from rescore.pipeline.watch import Look, look
from rescore.workspace import Workspace
from rescore_airflow.workspace import aledger_url, open_with

PATIENCE = 5
"""Looks in a row that may fail before the wait is given up, so that nothing hangs without a word."""


class RulesChangedTrigger(BaseTrigger):
    """Compares levels, not events: what is on disk and what the ledger says was done about it.

    So a trigger that was killed, or started late, sees the same as one that watched all the time. It ends
    with one event: `{"edited": {file: sha256}, "due": [scorecards], "unasked": [holds]}`, or
    `{"error": sentence, "retryable": flag}` when the wait makes no sense any more.

    Args:
        poke_interval: Seconds between two looks.
        first_look: Seconds until the first one.
    """

    def __init__(self, *, poke_interval: float, first_look: float = 0) -> None:
        super().__init__()
        self.poke_interval, self.first_look = poke_interval, first_look

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """All it takes to go on in another triggerer."""
        seconds = {"poke_interval": self.poke_interval, "first_look": self.first_look}
        return (f"{type(self).__module__}.{type(self).__qualname__}", seconds)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to do, or something a person has to mend."""
        ws: Workspace | None = None
        before: Look | None = None
        failures = 0
        await asyncio.sleep(self.first_look)
        while True:
            try:
                # files and the ledger block: other triggers share this event loop
                ws = ws or await asyncio.to_thread(open_with, await aledger_url())
                seen = await asyncio.to_thread(look, ws, at=datetime.now(UTC))
            except RetryableError as error:
                failures += 1
                self.log.warning("look %s of %s failed: %s", failures, PATIENCE, error)
                if failures == PATIENCE:
                    yield _ended(error)
                    return
            except RescoreError as error:
                yield _ended(error)
                return
            else:
                failures = 0
                if seen.calls_for_action(before):
                    yield TriggerEvent(as_event(seen))
                    return
                before = seen
            await self.pause()

    async def pause(self) -> None:
        """What lies between two looks."""
        await asyncio.sleep(self.poke_interval)


def as_event(seen: Look) -> dict[str, Any]:
    """What was seen, as Airflow's database keeps it."""
    return {"edited": dict(seen.edited), "due": list(seen.due), "unasked": list(seen.unasked)}


def _ended(error: RescoreError) -> TriggerEvent:
    return TriggerEvent({"error": str(error), "retryable": isinstance(error, RetryableError)})
