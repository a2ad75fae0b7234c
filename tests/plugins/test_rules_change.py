"""From an edited rules file to a finished rescore: `watch_rules`, then `rescore_all`, in a real Airflow."""

import re

import pytest

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


@pytest.fixture
def scored(deployment, crm):
    """A deployment whose leads are scored and whose CRM shows it."""
    assert deployment.run("score_leads").state == "success"
    return deployment


def change_points(deployment) -> None:
    """Give the first rule with points one point more."""
    body = (deployment.rules / "b2b_saas.yaml").read_text()
    points = int(re.search(r"^    points: (\d+)", body, re.MULTILINE)[1])
    deployment.edit(f"    points: {points}\n", f"    points: {points + 7}\n")


def test_an_edit_that_moves_scores_is_adopted_and_rescored_and_only_changes_are_written(scored, crm):
    change_points(scored)
    watch = scored.run("watch_rules")
    assert watch.state == "success"
    assert list(watch.counts("wait_for_change")["edited"]) == ["b2b_saas.yaml"]
    assert watch.counts("adopt_rules") == {"activated": 1, "held": 0, "unchanged": 0, "rejected": 0}
    assert scored.triggered() == [("b2b_saas__2__1", {"scorecard": "b2b_saas"})]
    assert watch.xcom["ask_rescore", "_link_AskedRunLink"].endswith("/rescore_all/runs/b2b_saas__2__1")

    written = crm.sandbox.records_written
    rescore = scored.run("rescore_all", scorecard="b2b_saas")
    assert rescore.state == "success"
    (gate,) = rescore.counts("gate").values()
    assert 0 < gate["changed"] <= rescore.counts("score")[next(iter(rescore.counts("score")))]["scored"]
    assert crm.sandbox.records_written - written == gate["changed"]

    again = scored.run("rescore_all", scorecard="b2b_saas")
    assert again.state == "success"
    assert crm.sandbox.records_written - written == gate["changed"], "promoted once"


def test_a_comment_wakes_nothing(scored, crm, capfd):
    written = crm.sandbox.records_written
    capfd.readouterr()
    (scored.rules / "b2b_saas.yaml").open("a").write("# a comment\n")
    watch = scored.run("watch_rules")
    assert watch.tasks == {
        "wait_for_change": "success",
        "adopt_rules": "success",
        "ask_rescore": "skipped",
        "tell_people": "skipped",
    }
    assert watch.state == "success"
    assert scored.triggered() == []
    assert crm.sandbox.records_written == written
    assert "XCom not found" not in "".join(capfd.readouterr()), "skipping is no error"


def test_a_broken_file_is_shown_and_the_loop_stays_green(scored, capfd):
    scored.edit("scorecard: b2b_saas", "scorecard: b2b_saas\nscorecards: 7")
    watch = scored.run("watch_rules")
    assert watch.state == "success"
    assert watch.counts("adopt_rules") == {"activated": 0, "held": 0, "unchanged": 0, "rejected": 1}
    assert watch.tasks["ask_rescore"] == "skipped"
    problems = watch.xcom["adopt_rules", "problems"]
    assert all(re.match(r"b2b_saas\.yaml:\d+:\d+: \S", problem) for problem in problems)
    assert problems[0] in "".join(capfd.readouterr())


def test_a_request_is_not_repeated_while_an_earlier_attempt_is_under_way(scored):
    change_points(scored)
    scored.run("watch_rules")
    scored.forget_asking()
    watch = scored.run("watch_rules")
    assert watch.tasks["ask_rescore"] == "skipped"
    assert [run_id for run_id, _ in scored.triggered()] == ["b2b_saas__2__1"]


def test_a_failed_rescore_is_followed_by_the_next_attempt(scored):
    change_points(scored)
    scored.run("watch_rules")
    scored.end_triggered("failed")
    scored.forget_asking()
    assert scored.run("watch_rules").tasks["ask_rescore"] == "success"
    assert [run_id for run_id, _ in scored.triggered()] == ["b2b_saas__2__1", "b2b_saas__2__2"]


def test_without_a_triggerer_the_next_score_leads_run_picks_the_edit_up(scored, crm):
    change_points(scored)
    written = crm.sandbox.records_written
    run = scored.run("score_leads")
    assert run.counts("adopt_rules")["activated"] == 1
    assert crm.sandbox.records_written > written
