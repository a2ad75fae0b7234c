"""The guard between runs: in any order, older never overwrites newer, and nothing is lost."""

from itertools import permutations

import pytest

from rescore.ledger import tables
from tests.ledger.world import MINUTE, MONDAY, MQL, World, a_card


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger)
    world.first_load(**{"crm:1": 0})
    return world


STEPS = ("start 1", "score 1", "promote 1", "start 2", "score 2", "promote 2", "land")


def different_orders() -> list[tuple[str, ...]]:
    """One of each kind: where the landing falls in either run, and which run promotes first."""
    kinds = {}
    for steps in permutations(STEPS):
        at = {step: position for position, step in enumerate(steps)}
        runs = [[at[f"{verb} {n}"] for verb in ("start", "score", "promote")] for n in (1, 2)]
        if all(positions == sorted(positions) for positions in runs):
            falls = tuple(sum(position < at["land"] for position in positions) for positions in runs)
            kinds.setdefault((falls, at["promote 1"] < at["promote 2"]), steps)
    return list(kinds.values())


@pytest.mark.parametrize("later_as_of", [1, 2], ids=["run 1 is as of later", "run 2 is as of later"])
def test_every_order_of_two_runs_and_a_landing_ends_newest_or_dirty(world, later_as_of):
    """The score is the number of facts a run could see: with all of them it is 1, before the landing 0.

    Facts are of a moment before both runs' as_of.
    """
    orders = different_orders()
    assert len(orders) == 26
    for steps in orders:
        facts, seen, run, best = 0, {}, {}, None
        base = world.now = world.now + 100 * MINUTE
        world.score(**{"crm:1": 0})
        for step in steps:
            verb, _, number = step.partition(" ")
            if verb == "land":
                world.land("crm:1", at=base)
                facts = 1
            elif verb == "start":
                as_of = base + (9 if int(number) == later_as_of else 5) * MINUTE
                run[number] = world.start(as_of=as_of, key=f"{base}/{number}")
            elif verb == "score":
                seen[number] = facts  # the lake is read after the run started
            else:
                ours = world.stage(run[number], {"crm:1": seen[number]})
                before = world.rows(tables.score, "as_of", "input_ver")
                world.promote(ours)
                [(as_of, version)] = world.rows(tables.score, "as_of", "input_ver")
                assert (as_of, version) == max(before[0], (as_of, version))
                assert as_of >= before[0][0]
                assert version >= before[0][1]
                best = (as_of, version)
        assert best is not None
        fresh = world.scores() == {"crm:1": 1}
        assert fresh or world.dirty() == ["crm:1"], steps
        if best[0] < base + 9 * MINUTE:  # the later run lost: its day's decay is still owed
            assert world.dirty() == ["crm:1"], steps
        world.score(**{"crm:1": 1})  # the next run heals whatever was left
        world.now = base + 10 * MINUTE
        world.score(**{"crm:1": 1})
        assert (world.scores(), world.dirty()) == ({"crm:1": 1}, []), steps


@pytest.mark.parametrize(
    ("minutes", "landed", "expected", "dirty"),
    [
        pytest.param(5, 1, 50, [], id="newer in both"),
        pytest.param(5, 0, 50, [], id="newer as_of, same facts"),
        pytest.param(0, 1, 50, [], id="same as_of, newer facts"),
        pytest.param(0, 0, 0, [], id="equal: nothing to do"),
        pytest.param(-5, 0, 0, [], id="older as_of: nothing lost"),
        pytest.param(-5, 1, 0, ["crm:1"], id="older as_of but newer facts: stays dirty"),
    ],
)
def test_a_run_against_the_committed_row(world, minutes, landed, expected, dirty):
    [(as_of,)] = world.rows(tables.score, "as_of")
    for _ in range(landed):
        world.land("crm:1")
    world.promote(world.stage(world.start(as_of=as_of + minutes * MINUTE), {"crm:1": 50}))
    assert world.scores() == {"crm:1": expected}
    assert world.dirty() == dirty


def test_an_overtaken_lead_stays_dirty_until_a_run_as_new_as_both(world):
    late = world.start("daily", as_of=MONDAY + 100 * MINUTE)
    world.land("crm:1", at=MONDAY)
    world.promote(world.stage(world.start(as_of=MONDAY + 50 * MINUTE), {"crm:1": 7}))
    assert world.promote(world.stage(late, {"crm:1": 5}))["overtaken"] == 1
    assert world.scores() == {"crm:1": 7}
    world.promote(world.stage(world.start(as_of=MONDAY + 60 * MINUTE), {"crm:1": 8}))
    assert world.dirty() == ["crm:1"]  # not yet as of the daily run
    world.promote(world.stage(world.start(as_of=MONDAY + 100 * MINUTE), {"crm:1": 9}))
    assert (world.scores(), world.dirty()) == ({"crm:1": 9}, [])


def test_a_run_as_of_earlier_marks_nobody_for_facts_that_others_brought(world):
    world.score(**{"crm:1": 7})
    [(as_of,)] = world.rows(tables.score, "as_of")
    world.land("crm:2")
    world.promote(world.stage(world.start(as_of=as_of - MINUTE), {"crm:1": 7}))
    assert world.dirty() == ["crm:2"]


def test_a_rescore_that_an_incremental_overtook_leaves_that_lead_to_the_next_run(world):
    world.adopt(a_card(MQL, points=9))
    rescore = world.stage(world.start("rescore"), {"crm:1": 9})
    world.now += MINUTE
    world.score(**{"crm:1": 18})
    world.promote(rescore)
    assert world.scores() == {"crm:1": 18}
    assert world.dirty() == []  # the incremental was as new in everything


def test_a_row_that_moved_since_it_was_staged_as_unchanged_is_scored_again(world):
    slow = world.stage(world.start(as_of=MONDAY + 100 * MINUTE), {"crm:1": 0})  # staged as unchanged
    world.promote(world.stage(world.start(as_of=MONDAY + 50 * MINUTE), {"crm:1": 60}))
    assert world.promote(slow)["overtaken"] == 1
    assert world.scores() == {"crm:1": 60}
    assert world.dirty() == ["crm:1"]
