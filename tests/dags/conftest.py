"""The DAGs as Airflow parses them."""

from tests.support.airflow_home import PROJECT

# isort: split
import sys
import warnings

import pytest
from airflow.dag_processing.dagbag import DagBag


@pytest.fixture(scope="session")
def parsed():
    """The bag, what was warned about on the way, and what parsing touched: (bag, warnings, audit events)."""
    touched = []
    watching = True

    def watch(event, args):
        if watching and event in ("socket.connect", "sqlite3.connect", "socket.getaddrinfo"):
            touched.append((event, args))

    sys.addaudithook(watch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bag = DagBag(dag_folder=PROJECT / "dags")
    watching = False
    return bag, caught, touched
