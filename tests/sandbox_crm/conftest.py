"""One small world for all, and a running sandbox CRM for each test that changes something."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import World, build_world
from tests.sandbox_crm.client import Crm

ENDS_AT = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> World:
    return build_world(ends_at=ENDS_AT, leads=200)


@pytest.fixture(scope="session")
def awkward_world() -> World:
    return build_world(ends_at=ENDS_AT, leads=200, awkward=True)


@pytest.fixture
def crm(world: World) -> Iterator[Crm]:
    """A sandbox CRM nobody else uses."""
    with SandboxServer(world) as server:
        yield Crm(server)


@pytest.fixture(scope="module")
def reading(world: World) -> Iterator[Crm]:
    """A sandbox CRM for tests that only read; its last days stay held back."""
    with SandboxServer(world) as server:
        yield Crm(server)


@pytest.fixture(scope="module")
def awkward(awkward_world: World) -> Iterator[Crm]:
    """A sandbox CRM with awkward rows in it, for tests that only read."""
    with SandboxServer(awkward_world) as server:
        yield Crm(server)
