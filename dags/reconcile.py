"""
### Reconcile, every hour

Does the CRM still show what it confirmed? Reads back what was written lately and a rotating share of the
rest, so that within thirty days everybody has had a turn. What was overwritten is owed again, behind
everything new, and the next `update_crm` writes it. A person's score stays for as long as the mapping's
`manual_edits` says, as an override that `rescore overrides` lists.

| task | does | on trouble |
|---|---|---|
| rescue | frees what dead workers held, ends expired overrides | red: a store is away |
| read_back | asks the CRM, compares, notes what is owed | red: token, address or CRM, as the sentence says |
| finish_erasures | goes on with erasures that were interrupted | red: as the sentence says |

Started by hand, the form offers to read everybody back: after somebody imported over our properties, say.
After the ledger's database was restored from a backup it reads everybody back by itself: see *Restored from
a backup* in `docs/operations.md`.

**Safe to re-run.** It writes nothing to the CRM, and what it finds twice it notes once.

**When it fails** see `docs/operations.md`, section *reconcile*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, chain, dag

from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.reconcile import FinishErasuresOperator, ReadBackOperator, RescueOperator


@dag(
    schedule="40 * * * *",  # between two runs of score_leads
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:2"],
    doc_md=__doc__,
    params={
        "everybody": Param(
            False, type="boolean", description="All leads that were ever written, not only those due."
        )
    },
)
def reconcile() -> None:
    chain(
        RescueOperator(task_id="rescue"),
        [ReadBackOperator(task_id="read_back"), FinishErasuresOperator(task_id="finish_erasures")],
    )


reconcile()
