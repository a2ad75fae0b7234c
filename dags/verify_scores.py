"""
### Verify scores, every night

Takes a sample of the stored scores, another one every night, and computes each again: the same rules version,
the same moment, the facts as they were known then. Whatever differs is listed in a file and turns this DAG
red: then a fault of Rescore, or somebody's hand in the database, has made a score that cannot be explained.

**Safe to re-run.** It changes nothing.

**When it fails** see `docs/operations.md`, section *verify_scores*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, dag

from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.verify_scores import VerifyScoresOperator


@dag(
    schedule="30 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:2"],
    doc_md=__doc__,
    params={
        "sample": Param(1000, type="integer", minimum=1, description="So many scores of each scorecard.")
    },
)
def verify_scores() -> None:
    VerifyScoresOperator(task_id="verify")


verify_scores()
