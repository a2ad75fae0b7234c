"""An activity comes first, the lead with its address a run later: the score counts it, once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.lake.records import ActivityRecord, Unclaimed
from rescore.ledger import tables
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.score import score
from sandbox_crm.store import milliseconds
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.support.main_job import MAPPINGS, MORNING

ONE_POINT_EACH = """\
scorecard: b2b_saas
dimensions: {engagement: {floor: 0}}
rules:
  - {id: touch, dimension: engagement, activity: [email_open, email_click, form_submit], points: 1}
"""


def form(activity_id: str, at: datetime) -> Unclaimed:
    return Unclaimed("cleo@x.example", ActivityRecord(activity_id, "", "form_submit", at))


def test_what_came_before_the_lead_counts_when_it_appears(job):
    job.write_rules(ONE_POINT_EACH)
    job.run()
    for number in range(3):
        job.crm.put_activity(form(f"form-{number}", job.now))
    job.now += timedelta(minutes=15)
    counts = job.extract()
    assert (counts["unclaimed"], counts["waiting for a lead"]) == (3, 3)
    assert "cleo" not in job.scores()

    job.crm.put_lead("cleo", {}, addresses=["Cleo@x.example"])
    job.now += timedelta(minutes=15)
    counts = job.extract()
    assert (counts["claimed"], counts["waiting for a lead"]) == (3, 0)
    job.finish(job.start())
    assert job.scores()["cleo"] == 3

    job.crm.put_activity(form("form-2", job.now))  # an overlap shows it again
    job.run()
    assert job.scores()["cleo"] == 3


@pytest.mark.parametrize("everybody", [False, True])
def test_whom_the_lake_does_not_know_is_owed_no_score_by_any_run(job, everybody):
    job.run()
    job.visit("nobody_yet")
    job.run(everybody=everybody)
    with job.ws.ledger.reading() as connection:
        assert connection.execute(select(tables.dirty)).all() == []
    job.crm.put_lead("nobody_yet", {})
    job.run()
    assert job.scores()["nobody_yet"] == 10


def promote(job) -> None:
    """Score and promote, without a delivery."""
    for key in job.start():
        score(job.ws, key)
        stage_deltas(job.ws, key)
        promote_or_hold(job.ws, key, at=job.now)


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(build_world(ends_at=MORNING - timedelta(hours=1), leads=60)) as server:
        yield server


def test_on_the_sandbox_the_events_come_first_and_the_contact_a_run_later(job, sandbox):
    store = sandbox.sandbox.store
    sandbox.sandbox.clock = lambda: job.now
    late, expected = store.rows(
        "SELECT contact_id, count(*) FROM (SELECT contact_id FROM email_events WHERE visible "
        "UNION ALL SELECT contact_id FROM submissions WHERE visible) "
        "GROUP BY contact_id ORDER BY count(*) DESC LIMIT 1"
    )[0]
    assert expected > 2
    store.db.execute("UPDATE objects SET visible = 0 WHERE id = ?", [late])
    mapping = read_mapping(MAPPINGS / "hubspot.yaml")
    limits = Limits(calls=10**6, searches=10**6)
    job.crm = HubSpot(sandbox.url, sandbox.token, mapping, limits)
    job.write_rules(ONE_POINT_EACH)

    job.adopt()
    counts = job.extract()
    assert counts["unclaimed"] == counts["waiting for a lead"] == expected
    assert not any("unknown_contact" in name for name in counts)
    promote(job)
    assert str(late) not in job.scores()

    job.now += timedelta(minutes=15)
    store.db.execute(
        "UPDATE objects SET visible = 1, modified = ? WHERE id = ?", [milliseconds(job.now), late]
    )
    job.crm = HubSpot(sandbox.url, sandbox.token, mapping, limits)
    job.now += timedelta(minutes=1)
    counts = job.extract()
    assert (counts["claimed"], counts["waiting for a lead"]) == (expected, 0)
    promote(job)
    assert job.scores()[str(late)] == expected
