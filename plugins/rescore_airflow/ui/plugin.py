"""Registers Rescore's pages with Airflow."""

from airflow.plugins_manager import AirflowPlugin

from rescore_airflow.ui.plans import PREFIX, app


class RescorePlugin(AirflowPlugin):
    """A page under `/rescore`, and an entry in the navigation that leads there."""

    name = "rescore"
    fastapi_apps = [{"app": app, "url_prefix": PREFIX, "name": "Rescore"}]  # noqa: RUF012 - Airflow's own form
    external_views = [  # noqa: RUF012
        {
            "name": "Plans",
            "href": f"{PREFIX}/plans",
            "destination": "nav",
            "url_route": "rescore-plans",
        }
    ]
