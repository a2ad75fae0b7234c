"""A sandbox CRM for the connectors to speak to, over a real socket."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rescore.connectors.catalog import read_mapping
from rescore.mapping import Mapping
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import World, build_world
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.testing import SalesforceServer
from sandbox_salesforce.world import add_score_fields, fill
from tests.conftest import BOTH
from tests.connectors.warehouse import Warehouse, warehouse

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HUBSPOT_YAML = Path(__file__).parents[2] / "include" / "mappings" / "hubspot.yaml"


@pytest.fixture(scope="session")
def mapping() -> Mapping:
    return read_mapping(HUBSPOT_YAML)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """300 leads whose last fact is an hour old, so that nothing but the planted rows is in the future."""
    cache = tmp_path_factory.mktemp("world")
    return build_world(ends_at=NOW - timedelta(hours=1), leads=300, awkward=True, cache=cache)


@pytest.fixture
def server(world: World) -> Iterator[SandboxServer]:
    with SandboxServer(world) as server:
        server.sandbox.clock = lambda: NOW
        yield server


@pytest.fixture
def organisation() -> Iterator[SalesforceServer]:
    """A Salesforce whose last fact is an hour old, but for meetings to come."""
    org = Organisation()
    fill(org, ends_at=NOW - timedelta(hours=1))
    org.clock = lambda: NOW
    with SalesforceServer(org) as server:
        yield server


@pytest.fixture
def empty() -> Iterator[SalesforceServer]:
    """A Salesforce with the fields that are ours and nobody in it; its clock stands at `NOW`."""
    org = Organisation(clock=lambda: NOW)
    add_score_fields(org)
    with SalesforceServer(org) as server:
        yield server


@pytest.fixture(params=BOTH)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    """A database with the tables of `warehouse.MAPPING`, empty: once on SQLite, once on PostgreSQL."""
    with warehouse(request.param, tmp_path) as found:
        yield found
