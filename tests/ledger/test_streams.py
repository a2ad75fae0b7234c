"""Streams: one reader at a time, a cursor that moves with its marks, every landing with its own number."""

from dataclasses import replace

import pytest

from rescore.errors import Fenced
from rescore.ledger import tables
from rescore.ledger.scores import streams
from tests.ledger.world import World


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger)
    world.adopt()
    return world


def take(world):
    with world.ledger.transaction() as connection:
        return streams.take_fence(connection, "crm", "contacts")


def commit(world, lease, cursor, *leads):
    with world.ledger.transaction() as connection:
        return streams.commit_landing(connection, lease, cursor=cursor, dirty=dict.fromkeys(leads))


def test_a_stream_starts_at_its_beginning_and_resumes_after_the_last_landing(world):
    first = take(world)
    assert (first.cursor, first.landing) == (None, 1)
    commit(world, commit(world, first, {"after": 1}, "crm:1"), {"after": 2}, "crm:2")
    assert take(world).cursor == {"after": 2}


def test_every_landing_has_a_number_of_its_own_whoever_lands(world):
    numbers = []
    for _ in range(3):
        lease = take(world)
        numbers.append(lease.landing)
        lease = commit(world, lease, {}, "crm:1")
        numbers.append(lease.landing)  # given out, perhaps used in the lake, never committed
    assert numbers == sorted(set(numbers))


def test_whoever_takes_the_stream_shuts_out_the_one_before(world):
    zombie = take(world)
    mine = take(world)
    with pytest.raises(Fenced, match="a newer run reads crm/contacts now"):
        commit(world, zombie, {"after": 99}, "crm:9")
    assert world.dirty() == []
    commit(world, mine, {"after": 1}, "crm:1")
    assert (take(world).cursor, world.dirty()) == ({"after": 1}, ["crm:1"])


def test_a_landing_is_committed_once(world):
    lease = take(world)
    commit(world, lease, {"after": 1}, "crm:1")
    with pytest.raises(Fenced):
        commit(world, lease, {"after": 1}, "crm:1")


def test_every_scorecard_in_force_is_marked(world, ledger):
    World(ledger, card=replace(world.card, id="partners")).adopt()
    world.land("crm:1")
    assert world.rows(tables.dirty, "scorecard", "lead") == [("b2b", "crm:1"), ("partners", "crm:1")]
