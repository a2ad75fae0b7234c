"""
### Maintain, every night

Keeps both stores small, however long Rescore runs: drops the rows of the ledger that no decision looks
back at any more, empties the bodies of old deliveries, clears reports and what dead runs left behind; folds
the lake's small files together, and drops those that no table names any more.

How long what is kept is in `include/policy.yaml`, under `retention`. Facts, scores, rules versions and who
put them in force are kept for good, so that every score can be explained and computed again.

**Safe to re-run.** What a killed run has left, the next one finds. Others may land, score and send meanwhile.

**When it fails** see `docs/operations.md`, section *maintain*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import dag

from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.maintain import MaintainOperator


@dag(
    schedule="10 4 * * *",  # after the night's runs over everybody, and after verify_scores
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:3"],
    doc_md=__doc__,
)
def maintain() -> None:
    MaintainOperator(task_id="maintain")


maintain()
