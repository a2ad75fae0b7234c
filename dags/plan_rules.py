"""
### Plan a change of the rules

Computes what rules would do before they do it: everybody under the rules in force and under the given ones,
over the same facts, at the same moment. The result is a report with pictures (its address is in the log and
in the XCom of `plan`): who changes band, what would fire now and in the last eight weeks, what the CRM would
be told and how long that takes, what each rule contributes.

The form takes the name of a file in `include/rules`, or the text of one; a moment, if not the present; and an
attribute to split the numbers by.

Nothing is put in force, scored, written or sent. `watch_rules` makes the same plan when a file is saved.

**Safe to re-run.** The same rules over the same facts at the same moment are the same plan.

**When it fails** see `docs/operations.md`, section *plan_rules*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, dag

from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.plan_rules import PlanRulesOperator

OPTIONAL = ["null", "string"]


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:2"],
    doc_md=__doc__,
    params={
        "file": Param(None, type=OPTIONAL, description="A file in include/rules, such as b2b_saas.yaml ..."),
        "text": Param(None, type=OPTIONAL, format="multiline", description="... or the text of one."),
        "as_of": Param(None, type=OPTIONAL, description="2026-11-01 or 2026-11-01T12:00:00Z; empty: now."),
        "split": Param(None, type=OPTIONAL, description="A lead attribute, such as industry."),
    },
)
def plan_rules() -> None:
    PlanRulesOperator(task_id="plan")


plan_rules()
