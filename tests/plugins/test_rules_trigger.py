"""The wait behind the rule-change sensor: levels compared, never events counted."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string
from sqlalchemy import update

from rescore.errors import ConfigurationError, RetryableError
from rescore.ledger.tables import control
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.watch import ask_rescore
from rescore_airflow.defaults import Told
from rescore_airflow.sensors.rules import DEFERRED, RuleChangeSensor
from rescore_airflow.triggers.rules import PATIENCE, RulesChangedTrigger

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


class StillWaiting(Exception):
    """The trigger has taken all the looks of a test and would go on."""


class SteppedTrigger(RulesChangedTrigger):
    """Does what a test says between two looks, where the real one sleeps; after the last look it stops."""

    def __init__(self, *between: Callable[[], object]) -> None:
        super().__init__(poke_interval=0)
        self.between = iter(between)

    async def pause(self) -> None:
        try:
            meanwhile = next(self.between)
        except StopIteration:
            raise StillWaiting from None
        meanwhile()


def nothing() -> None:
    """Nobody does anything between two looks."""


def event(*between: Callable[[], object]) -> dict[str, Any] | None:
    """What ends the wait within one look more than there are steps between them; None when nothing does."""
    try:
        return asyncio.run(anext(SteppedTrigger(*between).run())).payload
    except StillWaiting:
        return None


def settle(deployment) -> None:
    """Adopt everything and pretend that every rescore was asked for."""
    ws = deployment.workspace
    adopt_rules(ws, at=datetime.now(UTC), by="test")
    while ask_rescore(ws, at=datetime.now(UTC)):
        pass


def test_a_trigger_rebuilt_elsewhere_is_the_same_trigger():
    path, kwargs = RulesChangedTrigger(poke_interval=5.0).serialize()
    assert import_string(path)(**kwargs).serialize() == (path, kwargs)
    assert (path, kwargs) == (
        "rescore_airflow.triggers.rules.RulesChangedTrigger",
        {"poke_interval": 5.0, "first_look": 0},
    )


def test_files_that_nobody_has_looked_at_yet_end_the_wait(deployment):
    looks = RulesChangedTrigger(poke_interval=0.01).run()
    assert set(asyncio.run(anext(looks)).payload["edited"]) == {
        file.name for file in deployment.rules.glob("*.yaml")
    }


def test_when_all_is_done_the_trigger_waits(deployment):
    settle(deployment)
    assert event(nothing, nothing) is None


def test_the_sensor_defers_only_for_what_is_not_there_yet_and_leaves_airflow_time_to_hear_of_it(deployment):
    sensor = RuleChangeSensor(task_id="wait_for_change", poke_interval=0)
    settle(deployment)
    with pytest.raises(TaskDeferred) as waiting:
        sensor.execute({})
    assert waiting.value.trigger.first_look == DEFERRED
    deployment.edit("points:", "points: ", "b2b_saas.yaml")
    assert list(sensor.execute({})["edited"]) == ["b2b_saas.yaml"]


def test_an_edit_made_before_the_trigger_started_is_seen_too(deployment):
    settle(deployment)
    deployment.edit("points:", "points: ", "b2b_saas.yaml")
    assert list(event(nothing)["edited"]) == ["b2b_saas.yaml"]


def test_an_edit_taken_back_before_anybody_acted_ends_nothing(deployment):
    settle(deployment)
    deployment.edit("points:", "points: ")
    assert event(lambda: deployment.edit("points: ", "points:"), nothing) is None


def test_a_file_that_is_still_being_written_is_left_alone_until_it_settles(deployment):
    settle(deployment)
    file = deployment.rules / "b2b_saas.yaml"
    body = file.read_text()
    pieces = [body[:length] for length in (0, 1, 100, len(body) // 2)]
    writing = [partial(file.write_text, piece) for piece in [*pieces, body + "\n# done\n"]]
    assert event(*writing) is None, "it acted on a half-written file"
    file.write_text(body)
    assert list(event(*writing, nothing)["edited"]) == ["b2b_saas.yaml"]


def test_before_the_first_load_no_rescore_is_due(deployment):
    adopt_rules(deployment.workspace, at=datetime.now(UTC), by="test")
    assert event(nothing, nothing) is None


def test_a_rescore_that_is_due_ends_the_wait_at_once(deployment):
    ws = deployment.workspace
    adopt_rules(ws, at=datetime.now(UTC), by="test")
    with ws.ledger.transaction() as connection:
        connection.execute(update(control).values(first_load_done=True))
    assert event() == {"edited": {}, "due": ["account_engagement", "b2b_saas"], "unasked": []}


def test_a_rejected_file_is_remembered_and_does_not_end_the_wait_again(deployment):
    settle(deployment)
    (deployment.rules / "b2b_saas.yaml").write_text("scorecard: [")
    assert list(event(nothing)["edited"]) == ["b2b_saas.yaml"]
    settle(deployment)
    assert event(nothing, nothing) is None


def test_a_missing_rules_folder_ends_the_wait_with_a_sentence(deployment):
    deployment.rules.rename(deployment.rules.with_name("gone"))
    seen = event()
    assert seen["retryable"] is False
    assert "there is no folder" in seen["error"]


def test_a_ledger_that_cannot_be_reached_is_given_a_few_looks(deployment, monkeypatch, capsys):
    monkeypatch.setenv("RESCORE_LEDGER_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert event(*[nothing] * (PATIENCE - 2)) is None
    capsys.readouterr()
    seen = event(*[nothing] * (PATIENCE - 1))
    assert seen["retryable"] is True
    assert "cannot be reached" in seen["error"]
    assert capsys.readouterr().out.count("failed: ") == PATIENCE


@pytest.mark.parametrize(
    ("retryable", "error"),
    [
        pytest.param(True, RetryableError, id="may pass"),
        pytest.param(False, ConfigurationError, id="a person mends"),
    ],
)
def test_an_error_that_ended_the_wait_fails_the_sensor_with_its_sentence(retryable, error):
    sensor = RuleChangeSensor(task_id="wait_for_change")
    with pytest.raises(Told, match=r"^the ledger is away$") as told:
        sensor.execute_complete({}, {"error": "the ledger is away", "retryable": retryable})
    assert isinstance(told.value.error, error)
