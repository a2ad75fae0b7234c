"""Where in Airflow's pages a run, a plan and a hold are to be seen."""

from __future__ import annotations

from urllib.parse import urlencode

from airflow.sdk.configuration import conf

REVIEW = "review_hold"


def plan_url(plan_hash: str) -> str:
    """The page of the report on a plan."""
    return f"{_base()}/rescore/plans/{plan_hash}"


def run_url(dag_id: str, run_id: str) -> str:
    """The page of a DAG run."""
    return f"{_base()}/dags/{dag_id}/runs/{run_id}"


def review_url(hold_id: str) -> str:
    """The page on which a hold is answered."""
    return run_url(REVIEW, hold_id)


def login_url(page: str) -> str:
    """Where to log in, to be led back to a page of Airflow's afterwards, such as `/rescore/plans`."""
    return f"{_base()}/api/v2/auth/login?{urlencode({'next': _base() + page})}"


def _base() -> str:
    return str(conf.get("api", "base_url", fallback="")).rstrip("/")
