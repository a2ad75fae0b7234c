"""What Airflow does about each family of errors, and what an operator leaves behind when it fails."""

import traceback
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, RetryAction
from airflow.sdk.exceptions import AirflowSkipException

from rescore import errors
from rescore_airflow.defaults import RETRY_POLICY, Told
from rescore_airflow.operators.base import RescoreOperator, in_words, total

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

WHAT_AIRFLOW_DOES = {
    errors.ConfigurationError: RetryAction.FAIL,
    errors.TerminalError: RetryAction.FAIL,
    errors.RetryableError: RetryAction.RETRY,
}


def leaves():
    for family, action in WHAT_AIRFLOW_DOES.items():
        for leaf in family.__subclasses__():
            yield pytest.param(leaf, action, id=leaf.__name__)


def made(error: type[errors.RescoreError]) -> errors.RescoreError:
    if error is errors.ScorecardInvalid:
        return error(["b2b.yaml:1:1: no rules"])
    return error("the CRM asked for a pause", retry_after=3) if error is errors.CrmRateLimited else error("x")


@pytest.mark.parametrize(("error", "action"), list(leaves()))
def test_the_family_of_an_error_decides_between_retry_and_failure(error, action):
    for raised in (made(error), Told(made(error))):
        assert RETRY_POLICY.evaluate(raised, try_number=1, max_tries=3).action is action


def test_an_error_nobody_foresaw_is_retried_as_airflow_would():
    assert RETRY_POLICY.evaluate(ValueError("x"), try_number=1, max_tries=3).action is RetryAction.DEFAULT


def test_the_policy_survives_the_way_into_airflows_database():
    rebuilt = type(RETRY_POLICY).deserialize(RETRY_POLICY.serialize())
    assert rebuilt.evaluate(errors.CrmFieldMissing("x"), 1, 3).action is RetryAction.FAIL


class Failing(RescoreOperator):
    """Fails as the core would: with a sentence, caused by something technical."""

    def __init__(self, error: Exception, **kwargs) -> None:
        super().__init__(task_id="failing", **kwargs)
        self.error = error

    def work(self, ws, context):
        try:
            raise OSError("socket 7: secret-canary")
        except OSError as cause:
            raise self.error from cause


def failure(deployment, error: Exception) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whichever comes
        Failing(error=error).execute(
            {"dag": DAG("any", schedule=None), "dag_run": SimpleNamespace(conf=None)}
        )
    return caught.value


def test_a_failed_task_shows_the_sentence_and_nothing_of_what_led_to_it(deployment, caplog):
    sentence = "the CRM does not answer; it is tried again later"
    told = failure(deployment, errors.CrmUnavailable(sentence))
    assert isinstance(told, Told)
    assert isinstance(told.error, errors.CrmUnavailable)
    assert str(told) == sentence
    assert "secret-canary" not in "".join(traceback.format_exception(told)) + caplog.text


def test_a_task_whose_work_somebody_newer_took_over_is_skipped(deployment):
    assert isinstance(
        failure(deployment, errors.Fenced("a newer run reads this stream")), AirflowSkipException
    )


def test_counts_read_as_a_line():
    assert in_words({"scored": 5000, "changed": 12, "parked": 0}) == "changed 12, scored 5,000"
    assert in_words({"parked": 0}) == "nothing to do"
    assert total([{"a": 1}, {"a": 2, "b": 3}]) == {"a": 3, "b": 3}
