"""What every task of Rescore has in common, and what Airflow does about each family of errors."""

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from rescore.errors import ConfigurationError, RetryableError, TerminalError

RETRY_POLICY = ExceptionRetryPolicy(
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
