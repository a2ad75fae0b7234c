"""
### Score leads, every quarter of an hour

Lands what each CRM gained since its cursor, adopts edited rules, scores every lead that may have changed
under the scorecards in force, and promotes the deltas. Two deliveries then work them off side by side:
score fields back to the CRM, and automations for crossings.

| task | does | on trouble |
|---|---|---|
| adopt_rules | puts edited rules files in force | a bad file keeps it green: the log names the lines |
| extract | reads the CRMs from the ledger's cursors on | red: its sentence says why; the rest goes on |
| score, deltas, gate | compute, compare, promote | clear `score` with its downstream tasks |
| update_crm, run_automations | deliver what is owed | what fails stays owed; the next run tries again |

Started by hand, the form offers one scorecard, or everybody instead of the leads that may have changed.

**Safe to re-run.** The run's own time is the scoring time and every delivery has a fixed id, so a second
run of the same interval finds nothing to send. A failed run needs no repair: the next takes up all it left.

**When it fails** see `docs/operations.md`, section *score_leads*. **Owner:** revenue operations.
"""

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Param, TriggerRule, chain, dag

from rescore_airflow.assets import RULES_CHANGES, SCORES
from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.adopt_rules import AdoptRulesOperator
from rescore_airflow.operators.deltas import StageDeltasOperator
from rescore_airflow.operators.extract import ExtractOperator
from rescore_airflow.operators.gate import PromoteOrHoldOperator
from rescore_airflow.operators.run_automations import RunAutomationsOperator
from rescore_airflow.operators.score import ScoreLeadsOperator
from rescore_airflow.operators.tell_people import TellPeopleOperator
from rescore_airflow.operators.update_crm import UpdateCrmOperator


@dag(
    schedule="*/15 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,  # a courtesy to the CRM; the ledger's fences are what keeps writers apart
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:1"],
    doc_md=__doc__,
    params={
        "scorecard": Param(None, type=["null", "string"], description="Only this scorecard; empty: all."),
        "everybody": Param(
            False, type="boolean", description="All leads, not only those that may have changed."
        ),
    },
)
def score_leads() -> None:
    adopt = AdoptRulesOperator(task_id="adopt_rules", outlets=[RULES_CHANGES])
    extract = ExtractOperator(task_id="extract")
    # what has landed is scored, also when a CRM cannot be read, or a newer run reads it already
    score = ScoreLeadsOperator(task_id="score", trigger_rule=TriggerRule.ALL_DONE)
    deltas = StageDeltasOperator(task_id="deltas", runs=score.output)
    gate = PromoteOrHoldOperator(task_id="gate", runs=deltas.output, outlets=[SCORES])
    deliveries = [
        UpdateCrmOperator(task_id="update_crm"),
        RunAutomationsOperator(task_id="run_automations"),
        TellPeopleOperator(task_id="tell_people", trigger_dag_id="review_hold"),
    ]

    chain([adopt, extract], score, deltas, gate, deliveries)
    extract >> EmptyOperator(task_id="everything_read")  # or the run is red, whatever else went well


score_leads()
