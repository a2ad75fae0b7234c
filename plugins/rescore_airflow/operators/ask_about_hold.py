"""Ask a person what becomes of a hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rescore.ledger.rules import holds
from rescore.ledger.rules.holds import Answer, Hold
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.links import plan_url
from rescore_airflow.operators.base import now, refuse_unknown_conf
from rescore_airflow.workspace import open_workspace

ANSWERS: dict[str, Answer] = {
    "Release": "release",
    "Release without automations": "release_without_automations",
    "Discard": "discard",
}
"""What a person may choose, and what it means to the core."""

WHAT = {
    holds.RULES: "A change of the rules of {scorecard} waits",
    holds.STAGE: "The scores of a run of {scorecard} wait",
    holds.AUTOMATION: "{automation} of {scorecard} waits",
}

MEANING = {
    holds.RULES: "**Release** puts these rules in force. **Release without automations** does too, and what "
    "they would set off is only listed. **Discard** keeps the rules in force as they are.",
    holds.STAGE: "**Release** makes these scores the state of record. **Release without automations** does "
    "too, and what they would set off is only listed. **Discard** throws them away and pauses the scorecard.",
    holds.AUTOMATION: "**Release** lets it fire for the leads for which it is still true. The other two "
    "only list them.",
}


class AskAboutHoldOperator(HITLOperator):
    """Waits for a person's answer, without a worker, until the hold expires.

    Its text is kept in Airflow's database: reasons, counts and a link, never lead data.

    Args:
        hold: The id of the hold.
    """

    template_fields = ("hold",)

    def __init__(self, *, hold: str, **kwargs) -> None:
        super().__init__(
            subject="A hold",
            options=list(ANSWERS),
            defaults=["Discard"],
            response_timeout=timedelta(days=1),  # the hold's own expiry, once it is known
            **kwargs,
        )
        self.hold = hold

    def execute(self, context: Context) -> Any:
        """Put the question."""
        with in_a_sentence(self.log):
            refuse_unknown_conf(context)
            with open_workspace().ledger.reading() as connection:
                hold = holds.find(connection, self.hold)
        if hold.state != holds.OPEN:
            raise AirflowSkipException(f"the hold is over: {hold.ending}")
        self.subject = WHAT[hold.what].format(scorecard=hold.scorecard, automation=hold.automation)
        self.body = body(hold)
        self.response_timeout = max(hold.expires_at - now(), timedelta(0))
        return super().execute(context)


def body(hold: Hold) -> str:
    """Why it waits, the report, what each answer does, and until when."""
    lines = [*(f"- {reason}" for reason in hold.reasons), ""]
    if hold.plan_hash:
        lines += [f"[What it would do, with pictures]({plan_url(hold.plan_hash)})", ""]
    lines += [
        MEANING[hold.what],
        "",
        f"Unanswered until {hold.expires_at:%Y-%m-%d %H:%M} UTC, nothing fires and nothing comes into force. "
        f"Opened by {hold.opened_by}.",
    ]
    return "\n".join(lines)
