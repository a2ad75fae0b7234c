"""A ledger on which scores have been committed, a CRM in memory that should show them, and receivers."""

from __future__ import annotations

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.connectors.memory import MemoryCrm
from rescore.mapping import Mapping
from tests.ledger.world import World

MAPPING = b"""\
mapping: crm
connector: hubspot
mode: live
group: rescore
account_details: /a
leads: {search: /s, read: /r, update: /u, properties: /p, groups: /g, modified: m, attributes: {}}
activities: {}
scores:
  b2b:
    mode: live
    score: my_score
    band: my_band
    dimensions: {engagement: my_engagement}
    reasons: my_reasons
    changed_at: my_changed_at
    rules_version: my_version
"""


@pytest.fixture
def mapping() -> Mapping:
    return load_mapping(MAPPING, "crm.yaml")


@pytest.fixture
def world(ledger) -> World:
    """Three leads with a first score, nothing shown yet."""
    world = World(ledger)
    world.first_load(**{"crm:1": 10, "crm:2": 20, "crm:3": 30})
    return world


@pytest.fixture
def crm() -> MemoryCrm:
    crm = MemoryCrm("crm", batch_size=2)
    for lead in "123":
        crm.put_lead(lead, {})
    return crm
