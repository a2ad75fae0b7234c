"""A real Airflow on SQLite, a ledger and a lake of the test's own, and a sandbox CRM on a real socket."""

from tests.support.deployment import Deployment, connect_crm, sandbox

# isort: split
import os
from collections.abc import Iterator

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.db import initdb
from airflow.utils.session import create_session

from sandbox_crm.testing import SandboxServer


@pytest.fixture(scope="session")
def airflow() -> None:
    """Airflow's own tables, once a process."""
    initdb()


@pytest.fixture
def deployment(airflow, tmp_path) -> Iterator[Deployment]:
    before = dict(os.environ)
    made = Deployment(tmp_path)
    os.environ |= made.environment
    made.migrate()
    with create_session() as session:
        session.query(DagRun).delete()  # run ids repeat from deployment to deployment
    yield made
    os.environ.clear()
    os.environ |= before


@pytest.fixture
def crm(deployment) -> Iterator[SandboxServer]:
    """A CRM with awkward rows among 60 leads, its last three days held back, connected as the demo does."""
    with sandbox(awkward=True) as server:
        connect_crm(deployment, server)
        yield server
