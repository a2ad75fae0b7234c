"""Put edited rules files in force, or hold them."""

from __future__ import annotations

from airflow.sdk import Context

from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.rules_change import RulesNews
from rescore.workspace import Workspace
from rescore_airflow.assets import RULES
from rescore_airflow.links import plan_url
from rescore_airflow.operators.base import RescoreOperator, in_words, now


class AdoptRulesOperator(RescoreOperator):
    """Registers what differs on disk, plans it, and puts it in force or holds it; green in any case.

    A file that does not hold is remembered as rejected and the last good version stays in force: a typo
    in one scorecard must not stop the scoring of the others. Its problems are in the log as errors and,
    as `file:line:col: message`, in the XCom `problems`. What goes beyond the limits waits for a person.
    """

    def work(self, ws: Workspace, context: Context) -> dict[str, int]:
        """Counts of files by what became of them."""
        counts = {"activated": 0, "held": 0, "unchanged": 0, "rejected": 0}
        problems: list[str] = []
        by = f"airflow: {context['dag'].dag_id}"
        for news in adopt_rules(ws, at=now(), by=by, progress=self.log.info):
            counts[news.what] += 1
            problems += news.problems
            self._tell(news)
        if problems:
            context["ti"].xcom_push(key="problems", value=problems)
        if any(counts.values()):
            for alias in self.outlets:
                context["outlet_events"][alias].add(RULES, extra=dict(counts))
        self.log.info("rules files: %s", in_words(counts))
        return counts

    def _tell(self, news: RulesNews) -> None:
        if news.what == "rejected":
            self.log.error(
                "%s is rejected as version %s of %s; the version in force stays:\n%s",
                news.path, news.version, news.scorecard, "\n".join(news.problems),
            )  # fmt: skip
        elif news.what == "held":
            self.log.warning(
                "%s is version %s of %s and waits for a person: %s",
                news.path, news.version, news.scorecard, "; ".join(news.reasons),
            )  # fmt: skip
        else:
            self.log.info(
                "%s is version %s of %s: %s, wakes %s",
                news.path, news.version, news.scorecard, news.what, news.wakes or "nothing",
            )  # fmt: skip
        if news.plan_hash is not None:
            self.log.info("its plan: %s. %s", news.told, plan_url(news.plan_hash))
