"""
### Watch the rules

Waits, deferred, until a file in `include/rules` differs from what the ledger last looked at, a rescore is
due, or a hold waits about which nobody was asked. Then it registers exactly those bytes, runs their examples
and makes a plan of what they would do. Within the limits of `include/policy.yaml` they come into force and
`rescore_all` starts; beyond them they are held, and `review_hold` asks a person. Then the next run waits
again; one run is always there.

A file that does not hold is registered as rejected and shown in the log of `adopt_rules`, with every line
that is wrong; the version in force stays, and this DAG stays green. With a Connection `rescore_notifier`
people are told of holds, rejected rules and finished rescores.

**Safe to re-run.** It compares levels, not events: killed, paused or started late, it sees the same
difference and does the same thing once. If it is down altogether, `score_leads` adopts the edit.

**When it fails** see `docs/operations.md`, section *watch_rules*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import chain, dag

from rescore_airflow.assets import RULES_CHANGES
from rescore_airflow.defaults import WATCH_DEFAULTS
from rescore_airflow.operators.adopt_rules import AdoptRulesOperator
from rescore_airflow.operators.ask_rescore import AskRescoreOperator
from rescore_airflow.operators.tell_people import TellPeopleOperator
from rescore_airflow.sensors.rules import RuleChangeSensor


@dag(
    schedule="@continuous",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=WATCH_DEFAULTS,
    tags=["rescore", "tier:1"],
    doc_md=__doc__,
)
def watch_rules() -> None:
    changed = RuleChangeSensor(task_id="wait_for_change", poke_interval=3)
    adopt = AdoptRulesOperator(task_id="adopt_rules", outlets=[RULES_CHANGES])
    asks = [
        AskRescoreOperator(task_id="ask_rescore", trigger_dag_id="rescore_all"),
        TellPeopleOperator(task_id="tell_people", trigger_dag_id="review_hold"),
    ]

    chain(changed, adopt, asks)


watch_rules()
