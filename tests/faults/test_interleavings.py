"""The explorer counts what there is to count and sees what goes wrong; the short form of what it is for."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.faults import interleavings, random_lives, soak
from tests.faults.report import as_list
from tests.faults.schedules import Scenario, Verdict, explore
from tests.faults.turns import Scene
from tests.ledger.world import MONDAY


class Slip:
    """A world that is a slip of paper."""

    def __init__(self):
        self.now: datetime = MONDAY
        self.total = 0
        self.turns = ""

    def state(self):
        return self.total, self.turns


def writes(letter, times):
    """An actor of so many steps, each of which leaves a letter."""

    def act(scene):
        for _ in range(times):
            scene.pause()
            scene.outside.turns += letter

    return act


def adds_one(scene):
    """Reads in one step and writes in the next: an update that can be lost."""
    scene.pause()
    total = scene.outside.total
    scene.saw(total)
    scene.pause()
    scene.outside.total = total + 1


@pytest.fixture
def scene(tmp_path):
    (tmp_path / "empty.db").touch()
    scene = Scene(tmp_path / "empty.db", Slip())
    yield scene
    scene.close()


@pytest.mark.parametrize(
    ("steps", "orders"),
    [
        pytest.param((1, 1), 2, id="one step each"),
        pytest.param((2, 2, 1), 30, id="5!/(2! 2! 1!)"),
        pytest.param((4, 4, 1, 2), 34_650, id="those of the reference"),
    ],
)
def test_every_order_is_counted_once(scene, steps, orders):
    actors = {letter: writes(letter, times) for letter, times in zip("abcd", steps, strict=False)}
    found = explore(Scenario("", lambda scene: None, actors, lambda scene: Verdict()), scene)
    assert found.orders == orders


def test_no_two_orders_are_taken_for_one(scene):
    actors = {"a": writes("a", 2), "b": writes("b", 2)}
    ends = lambda scene: Verdict(notes=(scene.outside.turns,))  # noqa: E731
    found = explore(Scenario("", lambda scene: None, actors, ends), scene)
    assert sorted(verdict.notes[0] for verdict in found.verdicts) == [
        "aabb", "abab", "abba", "baab", "baba", "bbaa",
    ]  # fmt: skip


def test_a_lost_update_is_found_with_an_order_that_loses_it(scene):
    def ends(scene):
        return Verdict(() if scene.outside.total == 2 else ("one is lost",))

    found = explore(Scenario("", lambda scene: None, {"a": adds_one, "b": adds_one}, ends), scene)
    assert (found.orders, found.broken) == (6, 4)
    assert found.examples["one is lost"] == ("a", "b", "a", "b")


@pytest.mark.parametrize("layer", [interleavings, random_lives, soak], ids=["orders", "random lives", "soak"])
def test_in_whatever_order_and_however_long_things_happen_they_come_right(layer):
    layers = layer.run(short=True, say=lambda line: None)
    layers = layers if isinstance(layers, list) else [layers]
    assert all(each.holds for each in layers), as_list(layers)
