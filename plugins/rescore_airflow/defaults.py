"""What every task of Rescore has in common, and what Airflow does about each family of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Context, ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule
from airflow.sdk.exceptions import AirflowSkipException

from rescore.errors import ConfigurationError, RescoreError, RetryableError, Superseded, TerminalError


class Told(SystemExit):
    """Ends a task that has said its sentence; `error` is what the sentence was.

    Airflow's task runner logs every exception with all frames, its own among them; only of an exit, which
    it retries and fails like an exception, does it note one line.
    """

    def __init__(self, error: RescoreError) -> None:
        super().__init__(1)
        self.error = error

    def __str__(self) -> str:
        return str(self.error)


@contextmanager
def in_a_sentence(log: Any) -> Iterator[None]:
    """Let an error of the core leave one sentence in the task's log, and nothing of what led to it.

    Raises:
        AirflowSkipException: Somebody newer took this work over.
        Told: Any other error of the core.
    """
    try:
        yield
    except Superseded as error:
        raise AirflowSkipException(str(error)) from None
    except RescoreError as error:
        log.error("%s", error)
        raise Told(error) from None


class FamilyPolicy(ExceptionRetryPolicy):
    """Decides by the family of the core's error, also when it was told already."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """The first rule that fits."""
        error = exception.error if isinstance(exception, Told) else exception
        return super().evaluate(error, try_number, max_tries, context)


RETRY_POLICY = FamilyPolicy(
    rules=[
        RetryRule(ConfigurationError, RetryAction.FAIL, reason="a person has to edit something"),
        RetryRule(TerminalError, RetryAction.FAIL, reason="a person has to change something outside"),
        RetryRule(RetryableError, RetryAction.RETRY, reason="the same call may succeed later"),
    ]
)

TASK_DEFAULTS = {
    "owner": "revenue operations",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=2),
}

# A continuous DAG starts its next run the moment one fails, so here even an error that only a person can
# mend is waited out: the loop must neither spin nor need a restart once it is mended.
WATCH_DEFAULTS = {
    **TASK_DEFAULTS,
    "retry_policy": None,
    "retry_delay": timedelta(minutes=1),
    "retries": 10,
}
