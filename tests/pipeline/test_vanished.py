"""A contact that was deleted for privacy is in no list: it goes when a write or the read-back misses it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.ledger import tables
from rescore.pipeline.reconcile import read_back
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.support.main_job import MAPPINGS, MORNING

CONTACTS = "/crm/objects/2026-09/contacts"
EVERYBODY = """\
scorecard: b2b_saas
dimensions: {fit: {}}
rules:
  - {id: there, dimension: fit, lead: {created_at: {exists: true}}, points: 7}
"""


@pytest.fixture(scope="module")
def population():
    return build_world(ends_at=MORNING - timedelta(hours=1), leads=60)


@pytest.fixture
def sandbox(population) -> Iterator[SandboxServer]:
    with SandboxServer(population) as server:
        yield server


@pytest.fixture
def scored(job, sandbox):
    """Everybody has a score in the CRM."""
    sandbox.sandbox.clock = lambda: job.now
    mapping = read_mapping(MAPPINGS / "hubspot.yaml")
    streams = {"deals": mapping.activities["deals"]}
    job.crm = HubSpot(
        sandbox.url,
        sandbox.token,
        mapping.model_copy(update={"activities": streams}),
        Limits(calls=10**6, searches=10**6),
    )
    job.crm.setup()
    job.crm.writes = 0
    job.write_rules(EVERYBODY)
    job.run()
    return job


def call(sandbox, method, path, **body):
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    answer = requests.request(method, sandbox.url + path, json=body or None, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer


def look_everywhere(job):
    return read_back(
        job.ws.ledger, job.crm, mapping=job.ws.mappings()["hubspot"], now=job.now, everybody=True
    )


def withheld(job, lead):
    with job.ws.ledger.reading() as connection:
        return connection.scalar(
            select(tables.score.c.withheld).where(tables.score.c.lead == f"hubspot:{lead}")
        )


def test_whom_the_read_back_misses_is_deleted_and_counted_by_the_next_run(scored, sandbox):
    job = scored
    call(sandbox, "POST", f"{CONTACTS}/gdpr-delete", objectId="100001")
    assert look_everywhere(job)["gone"] == 1
    job.now += timedelta(minutes=15)
    assert job.extract()["leads deleted"] == 1
    job.finish(job.start())
    assert (job.scores()["100001"], withheld(job, "100001")) == (None, "deleted")
    job.now += timedelta(minutes=15)
    assert job.extract()["leads deleted"] == 0


def test_contacts_that_became_one_meanwhile_count_as_merged(scored, sandbox):
    job = scored
    merge = {"primaryObjectId": "100002", "objectIdToMerge": "100001"}
    left = call(sandbox, "POST", f"{CONTACTS}/merge", **merge).json()["id"]
    assert look_everywhere(job)["gone"] == 2
    job.run()
    for lost in merge.values():
        assert (job.scores()[lost], withheld(job, lost)) == (None, "merged")
    assert (job.scores()[left], withheld(job, left)) == (7, None)
    assert job.crm.read([left], ["rescore_score"]) == {left: {"rescore_score": "7"}}
    assert job.run()["calls"] == 0


def test_whom_the_crm_has_again_by_then_is_not_deleted(scored, sandbox):
    job = scored
    call(sandbox, "DELETE", f"{CONTACTS}/100001")
    assert look_everywhere(job)["gone"] == 1
    job.now += timedelta(minutes=1)
    call(sandbox, "POST", "/sandbox/restore/100001")
    job.now += timedelta(minutes=14)
    assert job.extract()["leads deleted"] == 0
    job.finish(job.start())
    assert (job.scores()["100001"], withheld(job, "100001")) == (7, None)


def test_nobody_is_asked_about_when_nobody_was_missed(scored, sandbox):
    job = scored
    sandbox.sandbox.calls.clear()
    job.now += timedelta(minutes=15)
    job.extract()
    assert sandbox.sandbox.calls[f"POST {CONTACTS}/batch/read"] == 0
