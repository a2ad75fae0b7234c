"""Say what a change of the rules would do, and change nothing."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context

from rescore.errors import InputUnreadable
from rescore.plan.make import make_plan
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard
from rescore.rules.moments import end_of, is_moment
from rescore.rules.on_disk import printable, read_rules, rules_paths
from rescore.workspace import Workspace
from rescore_airflow.links import plan_url
from rescore_airflow.operators.base import RescoreOperator, now

PASTED = "the pasted text"


class PlanRulesOperator(RescoreOperator):
    """Plans the rules that the run's form names: a file of the rules folder, or pasted text.

    The report is a file; the log and XCom get its opening line, counts and a link.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, Any]:
        """The plan's summary, and where the report is to be seen."""
        params = context["params"]
        name, body = _given(ws, params["file"], params["text"])
        card = load_scorecard(body, name=name, lists=read_lists(body, ws.rules_dir))
        as_of = context["dag_run"].run_after
        if params["as_of"]:
            if not is_moment(params["as_of"]):
                raise InputUnreadable(f"as_of `{params['as_of'][:40]}` is no date or time; write 2026-11-01")
            as_of = end_of(params["as_of"], card.timezone)
        plan = make_plan(
            ws,
            scorecard=card.id,
            new=card,
            new_version=None,
            as_of=as_of,
            at=now(),
            by=f"airflow: {context['dag'].dag_id}",
            split=params["split"] or None,
            progress=self.log.info,
        )
        self.log.info("%s", plan.opening_line())
        self.log.info("the report: %s", plan_url(plan.plan_hash))
        return {**plan.summary(), "report": plan_url(plan.plan_hash)}


def _given(ws: Workspace, file: str | None, text: str | None) -> tuple[str, bytes]:
    """A name for messages, and the rules; a file is one of the rules folder, never one beyond it."""
    if file and text:
        raise InputUnreadable("both a file and a text are given; empty one of the two fields")
    if not file and not text:
        raise InputUnreadable(
            "give the name of a rules file or the text of one; the form has a field for each"
        )
    if text:
        return PASTED, text.encode()
    there = rules_paths(ws.rules_dir)
    found = read_rules(there[file], ws.rules_dir) if file in there else None
    if found is None:
        names = ", ".join(there) or "none"
        raise InputUnreadable(f"there is no rules file `{printable(str(file))[:80]}`; there is {names}")
    if found.trouble is not None:
        raise InputUnreadable(f"{found.name}: {found.trouble}")
    return found.name, found.body
