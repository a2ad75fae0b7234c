"""A rules change that is too big, through Airflow: held, asked about, answered; and rolled back."""

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from rescore.errors import InputUnreadable
from rescore.ledger.rules import activations, holds
from rescore_airflow.operators.answer_hold import AnswerHoldOperator
from rescore_airflow.operators.ask_about_hold import ANSWERS, body

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


@pytest.fixture
def scored(deployment, crm):
    """A deployment whose leads are scored, with a policy under which a few leads are many."""
    policy = deployment.rules.parent / "policy.yaml"
    policy.write_text("band_moves: {leads: 3, share: 5%}\n")
    deployment.environment["RESCORE_POLICY_FILE"] = str(policy)
    deployment.connect("unused", "https://unused.example", "")
    assert deployment.run("score_leads").state == "success"
    return deployment


@pytest.fixture
def held(scored) -> str:
    """The id of the hold after an edit that moves many leads."""
    scored.edit("limit: {count: 6}\n    decay: {half_life: 14d}", "limit: {count: 60}")
    scored.watch = scored.run("watch_rules")
    ((hold_id, conf),) = scored.triggered("review_hold")
    assert conf == {"hold": hold_id}
    return hold_id


def hold_of(deployment, hold_id: str) -> holds.Hold:
    with deployment.workspace.ledger.reading() as connection:
        return holds.find(connection, hold_id)


def answer(deployment, hold_id: str, option: str, who: str | None = "anna") -> dict[str, int]:
    user = None if who is None else {"id": "1", "name": who}
    told = {"chosen_options": [option], "params_input": {}, "responded_by_user": user}
    operator = AnswerHoldOperator(task_id="answer", hold=hold_id, answer=told)
    return operator.work(deployment.workspace, {})


def in_force(deployment) -> int:
    with deployment.workspace.ledger.reading() as connection:
        return activations.active(connection, "b2b_saas").version_seq


def test_it_is_held_nothing_changes_and_one_review_is_started(scored, crm, held):
    written = crm.sandbox.records_written
    assert scored.watch.state == "success"
    assert scored.watch.counts("adopt_rules") == {"activated": 0, "held": 1, "unchanged": 0, "rejected": 0}
    assert scored.watch.tasks["ask_rescore"] == "skipped"
    again = scored.run("score_leads")
    assert again.state == "success", "scoring goes on"
    assert again.tasks["tell_people"] == "skipped", "it was asked about already"
    assert len(scored.triggered("review_hold")) == 1
    assert (in_force(scored), crm.sandbox.records_written) == (1, written)


def test_the_question_has_reasons_counts_and_a_link_and_waits_until_the_hold_expires(scored, held):
    hold = hold_of(scored, held)
    text = body(hold)
    assert "banded leads change band" in text
    assert f"/rescore/plans/{hold.plan_hash}" in text
    assert "hubspot:" not in text, "no lead in Airflow's database"
    assert list(ANSWERS) == ["Release", "Release without automations", "Discard"]


def test_discarded_the_old_rules_stay(scored, held):
    assert answer(scored, held, "Discard")["discarded"] == 1
    assert hold_of(scored, held).decided_by == "airflow: anna"
    assert in_force(scored) == 1


def test_released_the_new_rules_come_into_force_and_a_rescore_is_due(scored, crm, held):
    assert answer(scored, held, "Release")["activated"] == 1
    assert in_force(scored) == 2
    watch = scored.run("watch_rules")
    assert watch.tasks["ask_rescore"] == "success"
    rescore = scored.run("rescore_all", scorecard="b2b_saas")
    (gate,) = rescore.counts("gate").values()
    assert rescore.state == "success"
    assert gate["changed"] > 0
    assert gate.get("held", 0) == 0, "what was released is not held again"


def test_unanswered_it_expires_only_when_its_time_is_over(scored, held):
    assert answer(scored, held, "Discard", who=None) == {}
    assert hold_of(scored, held).state == holds.OPEN


def test_an_answer_to_what_a_newer_edit_has_taken_the_place_of_is_skipped_and_says_so(scored, held):
    scored.edit("limit: {count: 60}", "limit: {count: 6}\n    decay: {half_life: 14d}")
    scored.run("watch_rules")
    with pytest.raises(AirflowSkipException, match="the hold is over: superseded by version 1"):
        answer(scored, held, "Release")
    assert in_force(scored) == 1


def test_an_answer_against_what_somebody_else_decided_is_refused(scored, held):
    answer(scored, held, "Discard", who="carl")
    with pytest.raises(InputUnreadable, match="is over: discarded by airflow: carl"):
        answer(scored, held, "Release")


def test_rolled_back_by_its_form_the_version_before_is_in_force_again(scored, held):
    answer(scored, held, "Release")
    rollback = scored.run("rollback_rules", scorecard="b2b_saas")
    assert rollback.state == "success"
    assert rollback.counts("roll_back")["what"] in ("activated", "held")


def test_a_plan_by_its_form_changes_nothing_and_says_where_its_report_is(scored):
    plan = scored.run("plan_rules", file="b2b_saas.yaml", split="industry")
    assert plan.state == "success"
    told = plan.counts("plan")
    assert told["report"].endswith(told["plan_hash"])
    assert in_force(scored) == 1


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="neither file nor text"),
        pytest.param({"file": "../policy.yaml"}, id="no file of the rules folder"),
        pytest.param({"text": "scorecard: ["}, id="rules that do not hold"),
    ],
)
def test_a_plan_of_nothing_fails_with_a_sentence(scored, form, capfd):
    assert scored.run("plan_rules", **form).state == "failed"
    assert "Traceback" not in "".join(capfd.readouterr())


def test_stored_scores_hold_when_verified(scored):
    verify = scored.run("verify_scores", sample=50)
    assert verify.state == "success"
    assert verify.counts("verify")["checked b2b_saas"] == 50
