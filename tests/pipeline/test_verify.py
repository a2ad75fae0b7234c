"""The nightly look: stored scores computed again from what they were made of."""

import json

import pytest
from sqlalchemy import update

from rescore.ledger import tables
from rescore.pipeline.verify import NOT_NOTED, verify_scores
from tests.pipeline.lives import RULES, Life

DAY = 24 * 60


@pytest.fixture
def life(job):
    """Scores of several days and versions, some facts corrected since; dan has become part of ada since."""
    life = Life(job.ws)
    for lead in ("ada", "bob", "cleo", "dan"):
        life.crm.put_lead(lead, {"job_title": "Director"})
        life.does(lead, f"first of {lead}", hours=1)
    life.run()
    life.does("ada", "second", hours=3)
    life.run(minutes=DAY)
    life.crm.put_lead("bob", {"job_title": "CTO"})
    life.does("cleo", "first of cleo", asset="/about", hours=1)
    life.run()
    life.crm.put_lead("ada", {"job_title": "Director"}, merged=["dan"])
    life.does("bob", "unseen", minutes=-5)
    life.now = life.now.replace(minute=59)
    life.extract()
    life.ws.lake.fold_in()
    return life


def verified(life, **how):
    return verify_scores(life.ws, **({"sample": 100, "seed": 1, "at": life.now} | how))


def test_what_was_stored_holds_whatever_has_landed_since(life):
    found = verified(life)
    assert (found.holds, found.file) == (True, None)
    assert found.counts() == {"checked b2b_saas": 3}


def test_a_score_that_somebody_changed_by_hand_is_found_and_named_in_a_file_only(life):
    with life.ws.ledger.transaction() as connection:
        mine = tables.score.c.lead == "hubspot:bob"
        connection.execute(update(tables.score).where(mine).values(score=99))

    found = verified(life)

    assert found.counts() == {"checked b2b_saas": 3, "different b2b_saas": 1}
    [difference] = json.loads(found.file.read_text())
    assert (difference["lead"], difference["stored"]["score"], difference["computed"]["score"]) == (
        "hubspot:bob",
        99,
        11,
    )
    assert found.file.stat().st_mode & 0o077 == 0


def test_scores_under_an_older_version_are_verified_under_it(life):
    life.rules = RULES.replace("points: 20", "points: 21")
    life.adopt()
    assert verified(life).counts() == {"checked b2b_saas": 3}


def test_a_sample_is_the_same_for_the_same_seed_and_no_larger_than_asked(life):
    assert verified(life, sample=2).checked.total() == 2


def test_a_score_of_which_nobody_noted_what_it_was_made_of_is_counted(life):
    with life.ws.ledger.transaction() as connection:
        connection.execute(update(tables.run).values(seen=None))
    assert verified(life).counts() == {f"unchecked: {NOT_NOTED}": 3}
