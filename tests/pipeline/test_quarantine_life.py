"""Bot clicks in a deployment: they count for nothing, nothing is lost, and a person can say otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rescore.errors import InputUnreadable
from rescore.lake.records import Page
from rescore.ledger.rules import activations
from rescore.ledger.scores import streams
from rescore.pipeline.belief import committed_belief
from rescore.pipeline.objection import note_objection
from rescore.pipeline.release import note_release
from rescore.pipeline.verify import verify_scores
from rescore.scoring.held import in_all
from rescore.withheld import RELEASED_HERE
from tests.support.main_job import RULES

ADA, BOB = "hubspot:ada", "hubspot:bob"
QUARANTINE = """
quarantine:
  - id: bursts
    label: Everything at once
    activity: page_view
    burst: {count: 3, within: 10s}
"""


@pytest.fixture
def scanned(job):
    """Something looked at three pages of Ada's and of Bob's within four seconds, and Ada at one more."""
    job.write_rules(RULES + QUARANTINE)
    job.run()
    for lead in ("ada", "bob"):
        for second in (0, 2, 4):
            job.visit(lead, at=job.now + timedelta(seconds=second))
    job.visit("ada", at=job.now + timedelta(minutes=5))
    job.run()
    return job


def active(job):
    with job.ws.ledger.reading() as connection:
        [found] = activations.in_force(connection)
    return found


def held(job):
    with job.ws.ledger.reading() as connection:
        card = activations.card_of(connection, "b2b_saas", active(job).activation_seq)
    with job.ws.lake.facts() as facts:
        found = in_all(card, facts, as_of=job.now)
    return found.activities, found.leads


def test_what_a_scanner_did_counts_for_nothing_and_the_explanation_says_so(scanned):
    job = scanned
    assert job.scores() == {"ada": 20 + 10, "bob": 0}
    assert held(job) == (6, 2)
    told = committed_belief(job.ws, active(job), BOB).explanation
    assert "3 page_view in quarantine" in told.text()
    assert told.quarantine[0].activities == {"page_view": 3}


def test_a_released_lead_gets_every_point_back_at_the_next_run_and_only_it_is_scored(scanned):
    job = scanned
    assert note_release(job.ws, BOB, released=True, at=job.now) == {"releases noted": 1, "leads": 1}
    counts = job.run()
    assert (job.scores()["bob"], counts["promoted"]) == (30, 1)
    assert job.crm.shown["bob"]["rescore_score"] == 30
    assert held(job) == (3, 1)
    assert job.run()["CRM calls"] == 0

    note_release(job.ws, BOB, released=False, at=job.now)
    job.run()
    assert job.scores()["bob"] == 0


def test_a_release_outlasts_what_the_crm_says_and_a_merge(scanned):
    job = scanned
    note_release(job.ws, BOB, released=True, at=job.now)
    job.crm.put_lead("bob", {"job_title": "Head of Development"})
    job.run()
    assert job.scores()["bob"] == 30
    job.crm.put_lead("ada", {"job_title": "Director of Sales"}, merged=["bob"])
    job.run()
    assert job.scores() == {"ada": 20 + 70, "bob": None}


def test_an_interrupted_release_is_finished_by_doing_it_again(scanned):
    job = scanned
    with job.ws.ledger.transaction() as connection:
        before = streams.take_fence(connection, "hubspot", streams.NOTED_HERE)
    job.ws.lake.land(  # the process died after the lake's commit and before the ledger's
        "hubspot",
        Page(noted={RELEASED_HERE: {"bob": True}}),
        stream=streams.NOTED_HERE,
        number=before.landing,
        committed=before.committed,
        known_at=job.now,
    )
    job.run()
    assert job.scores()["bob"] == 0

    note_release(job.ws, BOB, released=True, at=job.now)
    job.run()
    assert job.scores()["bob"] == 30


def test_nobody_is_released_whom_the_lake_does_not_know(scanned):
    with pytest.raises(InputUnreadable, match="the lake does not know this lead"):
        note_release(scanned.ws, "hubspot:nobody", released=True, at=scanned.now)


def test_taking_the_entry_out_gives_every_point_back_and_putting_it_in_again_takes_them(scanned):
    job = scanned
    job.write_rules(RULES)
    job.run()
    job.run()
    assert job.scores() == {"ada": 20 + 40, "bob": 30}
    job.write_rules(RULES + QUARANTINE)
    job.run()
    job.run()
    assert job.scores() == {"ada": 30, "bob": 0}


def test_a_click_that_completes_a_burst_takes_the_points_of_those_before(job):
    job.write_rules(RULES + QUARANTINE)
    job.run()
    moment = job.now
    job.visit("bob", at=moment)
    job.visit("bob", at=moment + timedelta(seconds=2))
    job.run()
    assert job.scores()["bob"] == 20
    job.visit("bob", at=moment + timedelta(seconds=4))
    job.run()
    assert job.scores()["bob"] == 0
    assert not verify_scores(job.ws, sample=10, at=job.now, seed=1).different


def test_an_objection_and_a_release_stand_beside_each_other(scanned):
    job = scanned
    note_release(job.ws, BOB, released=True, at=job.now)
    note_objection(job.ws, BOB, objects=True, at=job.now)
    job.run()
    assert job.scores()["bob"] is None
    note_objection(job.ws, BOB, objects=False, at=job.now)
    job.run()
    assert job.scores()["bob"] == 30


TOGETHER = (
    "bands:",
    """\
  - id: company
    dimension: engagement
    scope: account
    activity: page_view
    points: 1
bands:""",
)


def test_a_release_wakes_the_colleagues_too(job):
    job.write_rules(RULES.replace(*TOGETHER) + QUARANTINE)
    for lead in ("ada", "bob"):
        job.crm.put_lead(lead, {"account": "acme"})
    for second in (0, 2, 4):
        job.visit("bob", at=job.now + timedelta(seconds=second))
    job.run()
    assert job.scores() == {"ada": 0, "bob": 0}
    note_release(job.ws, BOB, released=True, at=job.now)
    job.run()
    assert job.scores() == {"ada": 3, "bob": 33}
