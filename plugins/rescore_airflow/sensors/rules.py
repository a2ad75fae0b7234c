"""The rule-change sensor: succeeds when the rules on disk call for action."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseSensorOperator, Context

from rescore.errors import ConfigurationError, RetryableError
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.triggers.rules import RulesChangedTrigger


class RuleChangeSensor(BaseSensorOperator):
    """Waits for an edited rules file whose bytes have settled, a rescore that is due, or an unasked hold.

    It defers at once, so it costs no worker while nothing happens. There is no timeout: waiting is its work.
    """

    def execute(self, context: Context) -> None:
        """Hand the wait to the triggerer."""
        self.defer(
            trigger=RulesChangedTrigger(poke_interval=self.poke_interval),
            method_name=self.execute_complete.__name__,
        )

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
