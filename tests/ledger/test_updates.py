"""Scores that a CRM did not take: a person sees why, and lets them be written again."""

import pytest

from rescore.ledger import tables
from rescore.ledger.outbox import syncs, updates
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.outbox.updates import Chosen
from rescore.outcome import Outcome
from rescore.withheld import DELETED
from tests.ledger.world import MINUTE, World

ANSWERS = {
    "crm:fine": Outcome("ok"),
    "crm:gone": Outcome("gone", "no such record"),
    "crm:later": Outcome("transient", "not now"),
    "crm:locked": Outcome("record", "locked by its owner"),
}


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger)
    world.first_load(**dict.fromkeys(ANSWERS, 20))
    with ledger.transaction() as connection:
        claims = claim(connection, world)
        results = [SyncResult(claim, ANSWERS[claim.lead]) for claim in claims]
        syncs.settle(connection, results, now=world.now)
    return world


def claim(connection, world):
    return syncs.claim(connection, target="crm", worker="w", now=world.now, lease=MINUTE, limit=9)


def retry(world, **chosen):
    with world.ledger.transaction() as connection:
        return updates.retry(connection, Chosen(**chosen), by="rita")


def claimable(world):
    with world.ledger.transaction() as connection:
        return [(each.lead, each.tries) for each in claim(connection, world)]


def test_those_in_trouble_are_listed_with_the_reason(world):
    with world.ledger.reading() as connection:
        rows = updates.in_trouble(connection, Chosen(), limit=9)
    assert [(row.lead, row.state, row.tries, row.reason) for row in rows] == [
        ("crm:gone", "deleted", 1, "no such record"),
        ("crm:later", "due", 1, "not now"),
        ("crm:locked", "parked", 1, "locked by its owner"),
    ]


@pytest.mark.parametrize(
    ("chosen", "again"),
    [
        pytest.param({"states": ["parked"]}, ["crm:locked"], id="what was refused"),
        pytest.param({"states": ["deleted"]}, ["crm:gone"], id="what was not found"),
        pytest.param({"states": ["due"]}, ["crm:later"], id="what waits for its next try"),
        pytest.param({"leads": ["crm:locked", "crm:none"]}, ["crm:locked"], id="one lead by its key"),
        pytest.param({"target": "crm"}, ["crm:gone", "crm:later", "crm:locked"], id="all of a target"),
        pytest.param({"scorecard": "another"}, [], id="nothing of another scorecard"),
    ],
)
def test_the_chosen_ones_are_written_by_the_next_run_as_if_for_the_first_time(world, chosen, again):
    assert retry(world, **chosen)["again"] == len(again)
    assert claimable(world) == [(lead, 0) for lead in again]


def test_what_is_settled_is_left_alone(world):
    assert retry(world, leads=["crm:fine"]) == {"settled": 1}
    assert claimable(world) == []


def test_whom_the_crm_itself_deleted_is_left_alone(world):
    world.score(**{"crm:gone": None})
    score = tables.score
    with world.ledger.transaction() as connection:
        connection.execute(score.update().where(score.c.lead == "crm:gone").values(withheld=DELETED))
    assert retry(world, leads=["crm:gone"]) == {"deleted in the CRM": 1}


def test_what_is_being_written_at_this_moment_is_left_alone(world):
    retry(world, states=["parked"])
    assert claimable(world) == [("crm:locked", 0)]
    assert retry(world, leads=["crm:locked"]) == {"being written": 1}


def test_how_the_scores_of_a_lead_stand(world):
    with world.ledger.reading() as connection:
        assert updates.standing(connection, Chosen(leads=["crm:fine", "crm:gone", "crm:none"])) == {
            "crm:fine": {"settled"},
            "crm:gone": {"deleted"},
        }
