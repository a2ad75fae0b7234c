"""House rules for every DAG: what the person on call can rely on. Each failure says how to mend it."""

import ast
import re
from pathlib import Path

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule

from rescore_airflow.defaults import TASK_DEFAULTS
from tests.support.airflow_home import PROJECT

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

FILES = sorted((PROJECT / "dags").glob("*.py"))
NAMES = [file.stem for file in FILES]


@pytest.fixture(params=NAMES)
def dag(request, parsed) -> DAG:
    return parsed[0].dags[request.param]


def test_all_files_parse_and_each_holds_the_dag_of_its_name(parsed):
    bag, _, _ = parsed
    assert not bag.import_errors, f"a DAG file does not import: {bag.import_errors}"
    assert sorted(bag.dags) == NAMES, "name the file as its dag_id, one DAG a file"
    assert NAMES == [
        "erase_lead",
        "maintain",
        "plan_rules",
        "reconcile",
        "rescore_all",
        "review_hold",
        "rollback_rules",
        "score_leads",
        "verify_scores",
        "watch_rules",
    ]


def test_parsing_warns_of_nothing(parsed):
    ours = [str(w.message) for w in parsed[1] if str(PROJECT) in w.filename and ".venv" not in w.filename]
    assert not ours, f"importing the DAGs warns; use `airflow.sdk` and what it names instead: {ours}"


def test_parsing_touches_no_network_and_no_database(parsed):
    assert not parsed[2], f"move the call into an operator's execute: {parsed[2]}"


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_a_dag_file_reads_no_file_and_no_variable(file: Path):
    called = {
        ast.unparse(node.func) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
    }
    banned = {name for name in called if re.search(r"open|read_text|Variable|get_connection|environ", name)}
    assert not banned, f"{file.name} calls {banned} while it is parsed; move it into an operator"


def test_the_page_says_what_the_dag_does_and_that_it_is_safe_to_run_again(dag: DAG):
    assert dag.doc_md, f"{dag.dag_id} has no page: pass doc_md=__doc__"
    for words in ("**Safe to re-run.**", "**When it fails** see `docs/operations.md`", "**Owner:**"):
        assert words in dag.doc_md, f"the page of {dag.dag_id} lacks {words}; the person on call looks for it"


def test_the_page_points_at_a_section_that_exists(dag: DAG):
    operations = (PROJECT / "docs" / "operations.md").read_text()
    assert f"\n## {dag.dag_id}\n" in operations, f"write the section `## {dag.dag_id}` in docs/operations.md"


def test_every_dag_can_be_found_and_has_a_tier(dag: DAG):
    assert "rescore" in dag.tags, f"tag {dag.dag_id} with `rescore`"
    assert any(tag.startswith("tier:") for tag in dag.tags), f"say how urgent {dag.dag_id} is: a tag `tier:1`"


BESIDE_ITSELF = {"plan_rules": "it changes nothing", "review_hold": "every hold waits for its own answer"}


def test_no_dag_catches_up_or_overlaps_itself(dag: DAG):
    assert dag.catchup is False, f"{dag.dag_id}: catchup=False, the cursor is the ledger's"
    if dag.dag_id not in BESIDE_ITSELF:
        assert dag.max_active_runs == 1, f"{dag.dag_id}: max_active_runs=1 spares the CRM"


def test_every_task_retries_ends_in_time_and_has_an_owner(dag: DAG):
    for task in dag.tasks:
        assert task.retries >= 2, (
            f"{dag.dag_id}.{task.task_id}: take its defaults from rescore_airflow.defaults"
        )
        assert task.execution_timeout is not None, f"{dag.dag_id}.{task.task_id} could hang for ever"
        assert task.owner == TASK_DEFAULTS["owner"], f"{dag.dag_id}.{task.task_id} has no owner"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "watch_rules"])
def test_what_an_error_means_decides_between_retry_and_failure(parsed, name):
    policies = {task.retry_policy for task in parsed[0].dags[name].tasks}
    assert policies == {TASK_DEFAULTS["retry_policy"]}, "use TASK_DEFAULTS"


def test_the_continuous_dag_waits_out_even_an_error_only_a_person_can_mend(parsed):
    for task in parsed[0].dags["watch_rules"].tasks:
        assert task.retry_policy is None, "a failed continuous run starts again at once: retry with a delay"
        assert task.retry_delay.total_seconds() >= 60


def test_a_run_has_at_most_eight_tasks_that_a_worker_runs(dag: DAG):
    working = [task for task in dag.tasks if not isinstance(task, EmptyOperator)]
    assert len(working) <= 8, f"{dag.dag_id}: chunk inside a task, never a task per lead"


def test_a_source_that_cannot_be_read_turns_the_run_red_and_stops_nothing(parsed):
    tasks = parsed[0].dags["score_leads"].task_dict
    assert tasks["score"].trigger_rule == TriggerRule.ALL_DONE
    assert (tasks["everything_read"].upstream_task_ids, tasks["everything_read"].trigger_rule) == (
        {"extract"},
        TriggerRule.ALL_SUCCESS,
    )


def test_the_two_deliveries_run_side_by_side(parsed):
    for name in ("score_leads", "rescore_all"):
        gate = parsed[0].dags[name].get_task("gate")
        assert gate.downstream_task_ids == {"update_crm", "run_automations", "tell_people"}


def test_no_dag_imports_another(dag: DAG):
    source = (PROJECT / "dags" / f"{dag.dag_id}.py").read_text()
    others = [name for name in NAMES if re.search(rf"(from|import) (dags\.)?{name}\b", source)]
    assert not others, f"DAG files are deployed one by one: put what they share into plugins/, not {others}"
