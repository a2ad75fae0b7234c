"""
### Roll the rules back

Puts an older version of a scorecard in force again: the one before, or the one that the form names
(`rescore status` and the audit in the ledger have the numbers). It is planned and judged like any other
change: within the limits of `include/policy.yaml` it comes into force and `watch_rules` starts the rescore;
beyond them it is held, and `review_hold` asks.

The file in `include/rules` stays as it is and does not come back by itself. Put it right in git too: the next
time it is saved, it is a change again.

**Safe to re-run.** The same version again changes nothing.

**When it fails** see `docs/operations.md`, section *rollback_rules*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, dag

from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.roll_back import RollBackOperator


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:1"],
    doc_md=__doc__,
    params={
        "scorecard": Param("", type="string", minLength=1, description="Its name, such as b2b_saas."),
        "version": Param(None, type=["null", "integer"], minimum=1, description="Empty: the one before."),
    },
)
def rollback_rules() -> None:
    RollBackOperator(task_id="roll_back")


rollback_rules()
