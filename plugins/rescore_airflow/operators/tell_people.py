"""Tell people what waits for them and what has ended, and ask for the answers that are missing."""

from __future__ import annotations

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from rescore.errors import RescoreError
from rescore.pipeline.news import News, news_to_tell, told
from rescore.pipeline.watch import ask_review
from rescore.workspace import Workspace
from rescore_airflow.defaults import in_a_sentence
from rescore_airflow.hooks.people import people
from rescore_airflow.links import review_url
from rescore_airflow.operators.ask import AskOperator
from rescore_airflow.operators.base import now
from rescore_airflow.workspace import open_workspace


class TellPeopleOperator(AskOperator):
    """Sends what nobody was told yet, then starts one review for the first hold that nobody was asked about.

    What could not be sent is told by a later run, and never fails this one: a broken channel must not stop
    scoring. Skipped when no review is due.
    """

    def execute(self, context: Context) -> None:
        """Tell, then ask."""
        with in_a_sentence(self.log):
            ws = open_workspace()
            self._tell(ws)
            hold_id = ask_review(ws, at=now())
        if hold_id is None:
            raise AirflowSkipException("no hold waits to be asked about")
        self.ask(context, hold_id, {"hold": hold_id})

    def _tell(self, ws: Workspace) -> None:
        news = news_to_tell(ws)
        try:
            tell = people() if news else None
            for piece in news:
                self.log.info("%s", piece.subject)
                if tell is not None:
                    tell(piece.subject, _text(piece))
                told(ws, piece, at=now())
        except RescoreError as error:
            self.log.warning("people could not be told, the next run tries again: %s", error)


def _text(news: News) -> str:
    return news.text if news.hold_id is None else f"{news.text}\n{review_url(news.hold_id)}"
