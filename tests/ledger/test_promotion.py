"""Promotion: a stage becomes the state of record once, completely, and never backwards."""

import json

import pytest

from rescore.errors import Fenced
from rescore.ledger import tables
from rescore.ledger.scores import runs
from tests.ledger.world import MINUTE, MONDAY, MQL, World, a_card


@pytest.fixture
def world(ledger) -> World:
    return World(ledger)


def test_a_first_score_is_written_with_its_delta_and_owed_to_every_target(world):
    world.targets = ("crm", "warehouse")
    world.join("crm:1", "warehouse:1")
    world.adopt()
    world.land("crm:1", "crm:2")
    counts = world.score("initial", **{"crm:1": 120, "crm:2": None})
    assert counts == {"promoted": 2, "changed": 1, "started_fired": 1}
    assert world.rows(tables.score, "lead", "score", "band", "ver") == [
        ("crm:1", 120, "A", 1),
        ("crm:2", None, None, 0),  # outside the audience: seen, nothing to show
    ]
    assert world.rows(tables.delta, "lead", "ver", "old_score", "new_score", "old_band", "new_band") == [
        ("crm:1", 1, None, 120, None, "A")
    ]
    assert world.rows(tables.sync, "target", "lead", "want_ver", "acked_ver", "state") == [
        ("crm", "crm:1", 1, 0, "due"),
        ("warehouse", "crm:1", 1, 0, "due"),
    ]
    assert world.dirty() == []


def test_an_unchanged_lead_keeps_its_version_and_owes_nothing(world):
    world.first_load(**{"crm:1": 10})
    before = world.rows(tables.sync)
    assert world.score(**{"crm:1": 10}) == {"promoted": 1}
    assert world.rows(tables.sync) == before
    assert world.rows(tables.score, "ver", "as_of") == [(1, world.now)]  # but is known to be fresh


def test_a_lead_that_leaves_the_audience_is_blanked(world):
    world.first_load(**{"crm:1": 10})
    assert world.score(**{"crm:1": None})["changed"] == 1
    assert world.rows(tables.delta, "ver", "old_score", "new_score") == [(1, None, 10), (2, 10, None)]


def test_the_same_run_promoted_twice_changes_nothing(world):
    world.first_load(**{"crm:1": 10})
    run = world.stage(world.start(), {"crm:1": 120})
    assert world.promote(run)["fired"] == 1
    everything = {table.name: world.rows(table) for table in tables.metadata.sorted_tables}
    assert world.promote(run) == {}
    assert everything == {table.name: world.rows(table) for table in tables.metadata.sorted_tables}


def test_a_run_scored_again_after_its_promotion_changes_nothing_outside_itself(world):
    world.first_load(**{"crm:1": 10})
    run = world.start(key="again/b2b")
    world.promote(world.stage(run, {"crm:1": 120}))
    kept = [tables.score, tables.delta, tables.sync, tables.arming, tables.delivery]
    before = [world.rows(table) for table in kept]
    assert world.promote(world.stage(world.start(key="again/b2b"), {"crm:1": 130})) == {}
    assert [world.rows(table) for table in kept] == before


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_chunks_of_any_size_give_the_same_ledger(world, chunk):
    scores = {f"crm:{number}": number for number in range(95, 106)}
    world.first_load(**dict.fromkeys(scores, 0))
    run = world.stage(world.start(), scores)
    counts = world.promote(run, chunk=chunk)
    assert counts == {"promoted": 11, "changed": 11, "fired": 6}
    assert world.scores() == scores
    assert len(world.rows(tables.delivery)) == 6
    assert world.run_state(run) == runs.PROMOTED


def test_an_attempt_that_lost_its_fence_promotes_nothing(world):
    world.first_load(**{"crm:1": 10})
    zombie = world.stage(world.start(key="r/b2b"), {"crm:1": 50})
    world.start(key="r/b2b")
    with pytest.raises(Fenced, match="newer attempt"):
        world.promote(zombie)
    with pytest.raises(Fenced, match="newer attempt"):
        world.stage(zombie, {"crm:1": 50})
    assert world.scores() == {"crm:1": 10}


def test_nothing_is_promoted_while_a_newer_attempt_still_scores(world):
    world.first_load(**{"crm:1": 10})
    world.stage(world.start(key="r/b2b"), {"crm:1": 50})
    with pytest.raises(Fenced, match="still scoring"):
        world.promote(world.start(key="r/b2b"))


@pytest.mark.parametrize("kind", ["incremental", "rescore"])
def test_a_newer_activation_supersedes_a_run_and_its_leads_stay_dirty(world, kind):
    world.first_load(**{"crm:1": 10})
    world.land("crm:1")
    run = world.stage(world.start(kind), {"crm:1": 50})
    world.adopt(a_card(MQL, points=7))
    assert world.promote(run) == {"superseded": 1}
    assert world.run_state(run) == runs.SUPERSEDED
    assert world.scores() == {"crm:1": 10}
    assert world.dirty() == ["crm:1"]


class TestDirtyMarks:
    """A run clears what it covers, and only that."""

    def test_facts_that_landed_after_the_run_started_stay_marked(self, world):
        world.first_load(**{"crm:1": 10, "crm:2": 10})
        world.land("crm:1", "crm:2")
        run = world.start()
        world.land("crm:2")
        world.promote(world.stage(run, {"crm:1": 20, "crm:2": 20}))
        assert world.dirty() == ["crm:2"]

    def test_facts_of_a_moment_after_the_runs_as_of_stay_marked(self, world):
        world.first_load(**{"crm:1": 10, "crm:2": 10})
        as_of = world.tick()
        world.land("crm:1", at=as_of)
        world.land("crm:2", at=as_of + MINUTE)
        world.promote(world.stage(world.start(as_of=as_of), {"crm:1": 20, "crm:2": 20}))
        assert world.dirty() == ["crm:2"]

    def test_a_mark_keeps_the_latest_moment_of_all_its_landings(self, world):
        world.first_load(**{"crm:1": 10})
        world.land("crm:1", at=MONDAY + 60 * MINUTE)
        world.land("crm:1", at=MONDAY)
        world.land("crm:1")
        assert world.rows(tables.dirty, "lead", "facts_until") == [("crm:1", MONDAY + 60 * MINUTE)]

    def test_leads_that_were_not_staged_stay_marked(self, world):
        world.first_load(**{"crm:1": 10})
        world.land("crm:1", "crm:9")
        world.score(**{"crm:1": 20})
        assert world.dirty() == ["crm:9"]


class TestAFullRun:
    """What its end settles."""

    def test_settles_the_first_load_the_day_and_the_owed_rescore(self, world):
        world.first_load(**{"crm:1": 10})
        assert world.rows(tables.control, "first_load_done", "full_pass_date") == [(True, MONDAY.date())]
        assert world.rows(tables.activation, "activation_seq", "rescored_at") == [(1, world.now)]

    def test_the_day_is_the_scorecards_local_one(self, world):
        world.adopt()
        late = MONDAY.replace(hour=23, minute=30)  # half past midnight in Berlin
        world.promote(world.stage(world.start("daily", as_of=late), {"crm:1": 10}))
        assert [str(day) for (day,) in world.rows(tables.control, "full_pass_date")] == ["2026-11-03"]

    def test_an_older_full_run_does_not_turn_the_day_back(self, world):
        world.first_load(**{"crm:1": 10})
        world.promote(world.stage(world.start("daily", as_of=MONDAY - 2880 * MINUTE), {"crm:1": 10}))
        assert world.rows(tables.control, "full_pass_date") == [(MONDAY.date(),)]

    def test_an_incremental_run_settles_none_of_it(self, world):
        world.adopt()
        world.score(**{"crm:1": 10})
        assert world.rows(tables.control, "first_load_done", "full_pass_date") == [(False, None)]
        assert world.rows(tables.activation, "rescored_at") == [(None,)]

    def test_a_full_run_over_nobody_settles_it_too(self, world):
        world.first_load()
        assert world.rows(tables.control, "first_load_done") == [(True,)]


def test_counts_of_a_run_add_up_over_its_chunks(world):
    world.first_load(**{"crm:1": 10, "crm:2": 10})
    run = world.stage(world.start(), {"crm:1": 120, "crm:2": 10})
    world.promote(run, chunk=1)
    [(counts,)] = [row for row in world.rows(tables.run, "counts") if "fired" in row[0]]
    assert json.loads(counts) == {"promoted": 2, "changed": 1, "overtaken": 0, "fired": 1}
