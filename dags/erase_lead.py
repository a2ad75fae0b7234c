"""
### Erase a person

Removes every copy of a person from the lake, the ledger, runs' results and reports, and leaves a salted
tombstone, so that they do not come back with the next extract. Records that were merged with theirs go too.
The CRM is not touched: delete them there first.

The form takes the id of a request, not the person. Whatever a form holds stays in Airflow's own database, in
the run's conf and in the audit log, so whom to erase is said to the ledger:

```
rescore erase hubspot:1042 --email ada@example.com --request
```

prints the id. An empty form carries out every request that waits, and erasures that were interrupted.

**Safe to re-run.** A step that is done finds nothing to do; an interrupted erasure goes on where it stopped.

**When it fails** see `docs/operations.md`, section *erase_lead*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, dag

from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.erase import EraseLeadOperator


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:1"],
    doc_md=__doc__,
    params={
        "request": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description="The id that `rescore erase LEAD --request` printed; empty: all that wait.",
        )
    },
)
def erase_lead() -> None:
    EraseLeadOperator(task_id="erase")


erase_lead()
