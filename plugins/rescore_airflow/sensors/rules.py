"""The rule-change sensor: succeeds when the rules on disk call for action."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseSensorOperator, Context

from rescore.errors import ConfigurationError, RetryableError
from rescore.pipeline.watch import Look, look
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.triggers.rules import RulesChangedTrigger, as_event
from rescore_airflow.workspace import open_workspace

DEFERRED = 10.0
"""Seconds in which a scheduler hears that a task was deferred. One whose trigger fires before that is taken
for one that somebody else has set going, and fails."""


class RuleChangeSensor(BaseSensorOperator):
    """Waits for an edited rules file whose bytes have settled, a rescore that is due, or an unasked hold.

    What is there already needs no wait; else it defers, so it costs no worker while nothing happens. There is
    no timeout: waiting is its work.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Look; hand the wait to the triggerer where there is nothing to do yet."""
        with in_a_sentence(self.log):
            if seen := self._look():
                return self.execute_complete(context, as_event(seen))
        return self.defer(
            trigger=RulesChangedTrigger(poke_interval=self.poke_interval, first_look=DEFERRED),
            method_name=self.execute_complete.__name__,
        )

    def _look(self) -> Look | None:
        """What calls for action now, if anything does."""
        ws = open_workspace()
        before, seen = None, look(ws, at=datetime.now(UTC))
        if seen.edited and not seen.calls_for_action(before):
            time.sleep(self.poke_interval)
            before, seen = seen, look(ws, at=datetime.now(UTC))
        return seen if seen.calls_for_action(before) else None

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Say what was seen; an error that ended the wait fails the task with its sentence."""
        if "error" in event:
            with in_a_sentence(self.log):
                raise (RetryableError if event["retryable"] else ConfigurationError)(event["error"])
        self.log.info(
            "edited: %s; rescore due: %s; nobody asked about: %s",
            ", ".join(sorted(event["edited"])) or "nothing",
            ", ".join(event["due"]) or "nothing",
            ", ".join(event["unasked"]) or "nothing",
        )
        return event
