"""
### Rescore everybody

Scores all leads under the rules in force, whether or not they gained a fact, and promotes and delivers
what changed through the same steps as `score_leads`. `watch_rules` starts it after a rules change, with a
run id of scorecard, activation and attempt (`b2b_saas__3__1`). A person may start it too: the form takes
one scorecard, or all when left empty.

Only changed leads are written to the CRM. Leads that gained a fact meanwhile are left to the next
`score_leads` run, which scores them at its own, later time.

**Safe to re-run.** Scores follow from facts, rules and the run's own time. A second run finds nothing to
write; an interrupted promotion goes on at the lead where it stopped. Clear the failed task with its
downstream tasks, or wait: an unfinished rescore is asked for again after ten minutes, as the next attempt.

**When it fails** see `docs/operations.md`, section *rescore_all*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, chain, dag

from rescore_airflow.assets import SCORES
from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.deltas import StageDeltasOperator
from rescore_airflow.operators.gate import PromoteOrHoldOperator
from rescore_airflow.operators.run_automations import RunAutomationsOperator
from rescore_airflow.operators.score import ScoreLeadsOperator
from rescore_airflow.operators.tell_people import TellPeopleOperator
from rescore_airflow.operators.update_crm import UpdateCrmOperator


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:1"],
    doc_md=__doc__,
    params={
        "scorecard": Param(None, type=["null", "string"], description="Only this scorecard; empty: all.")
    },
)
def rescore_all() -> None:
    score = ScoreLeadsOperator(task_id="score", everybody=True)
    deltas = StageDeltasOperator(task_id="deltas", runs=score.output)
    gate = PromoteOrHoldOperator(task_id="gate", runs=deltas.output, outlets=[SCORES])
    deliveries = [
        UpdateCrmOperator(task_id="update_crm"),
        RunAutomationsOperator(task_id="run_automations"),
        TellPeopleOperator(task_id="tell_people", trigger_dag_id="review_hold"),
    ]

    chain(score, deltas, gate, deliveries)


rescore_all()
