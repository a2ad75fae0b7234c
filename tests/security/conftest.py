"""A real Airflow with a deployment of its own: the same as the plugins' tests run on."""

from tests.plugins.conftest import airflow, deployment  # noqa: F401 - fixtures
