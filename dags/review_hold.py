"""
### Review a hold

One run for each hold: a rules change, a run's scores or one automation's crossings that went over a limit
of `include/policy.yaml` and wait for a person. `watch_rules` and the scoring DAGs start it, with the hold's
id as the run id. The question is under *Required Actions*: why it waits, what it would do (a link to the
report), and three answers.

| answer | a rules change | a run's scores | an automation |
|---|---|---|---|
| Release | comes into force and rescores everybody | are promoted | fires where it is still true |
| Release without automations | does too; crossings are only listed | are too; likewise | is only listed |
| Discard | stays out of force | are thrown away; the scorecard pauses | is only listed |

Scoring goes on meanwhile. An answer counts for what was shown: if it has become worse by the time it is
carried out, it is held anew. Unanswered holds expire (24 hours by default), and nothing comes of them.

**Safe to re-run.** A hold is answered once; a second answer, here or with `rescore review`, changes nothing.

**When it fails** see `docs/operations.md`, section *review_hold*. **Owner:** revenue operations.
"""

import pendulum
from airflow.sdk import Param, dag

from rescore_airflow.assets import SCORES
from rescore_airflow.defaults import TASK_DEFAULTS
from rescore_airflow.operators.answer_hold import AnswerHoldOperator
from rescore_airflow.operators.ask_about_hold import AskAboutHoldOperator


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=64,
    default_args=TASK_DEFAULTS,
    tags=["rescore", "tier:1"],
    doc_md=__doc__,
    params={"hold": Param("", type="string", minLength=1, description="Its id; `rescore holds` lists them.")},
)
def review_hold() -> None:
    hold = "{{ params.hold }}"
    ask = AskAboutHoldOperator(task_id="ask", hold=hold)
    AnswerHoldOperator(task_id="answer", hold=hold, answer=ask.output, outlets=[SCORES])


review_hold()
