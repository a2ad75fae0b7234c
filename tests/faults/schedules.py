"""Every order in which the steps of several actors can come: all are counted, none is sampled.

Nothing is pruned but repetition. What a step does follows from the rows, the world, the clock and what its
actor has read so far; so the same step from the same state is taken once, and where two orders have led to
the same state, with everybody standing where they do, the second takes over the counts of the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.turns import Actor, Scene, Standing, State, product_in_turns

Order = tuple[str, ...]
"""Whose turn it was, step by step."""


LONGEST = 60
"""Steps; whoever takes more goes on for ever."""


@dataclass(frozen=True)
class Verdict:
    """What came of one order: promises that are broken, and what else is worth counting."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Who acts at the same time, from where, and how it is judged once all have done."""

    name: str
    begins: Callable[[Scene], None]
    actors: Mapping[str, Callable[[Scene], None]]
    ends: Callable[[Scene], Verdict]


@dataclass
class Explored:
    """All orders of a scenario: how many, over how many different states and steps, and what came of them.

    `examples` has the first order that broke each promise.
    """

    states: int = 0
    steps: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    examples: dict[str, Order] = field(default_factory=dict)

    @property
    def orders(self) -> int:
        """How many there are."""
        return self.verdicts.total()

    def with_note(self, note: str) -> int:
        """In how many orders it was noted."""
        return sum(count for verdict, count in self.verdicts.items() if note in verdict.notes)

    @property
    def broken(self) -> int:
        """In how many orders a promise was."""
        return sum(count for verdict, count in self.verdicts.items() if verdict.problems)


def explore(scenario: Scenario, scene: Scene) -> Explored:
    """Go through all orders."""
    with product_in_turns(scene):
        scenario.begins(scene)
        return _Explorer(scenario, scene).explored()


class _Explorer:
    """One exploration: the steps that were taken, each once, and the counts below each state."""

    def __init__(self, scenario: Scenario, scene: Scene) -> None:
        self._scenario, self._scene = scenario, scene
        self._names = list(scenario.actors)
        self._found = Explored()
        self._steps: dict[tuple[str, Standing, State], tuple[Standing, State]] = {}
        self._origin: dict[tuple[str, Standing], tuple[Standing, State]] = {}
        self._alive: dict[tuple[str, Standing], Actor] = {}
        self._below: dict[tuple[State, tuple[Standing, ...]], Counter[Verdict]] = {}
        self._verdicts: dict[State, Verdict] = {}

    def explored(self) -> Explored:
        """All of it."""
        begin = self._scene.keep()
        standings = tuple(self._new(name).standing for name in self._names)
        self._found.verdicts = self._count(begin, standings, ())
        self._found.states, self._found.steps = len(self._below), len(self._steps)
        return self._found

    def _count(self, state: State, standings: tuple[Standing, ...], order: Order) -> Counter[Verdict]:
        """What comes of all orders of the steps that are left."""
        known = self._below.get((state, standings))
        if known is not None:
            return known
        counts: Counter[Verdict] = Counter()
        for number, standing in enumerate(standings):
            if standing is not None:
                name = self._names[number]
                then, state_then = self._step(name, standing, state)
                others = (*standings[:number], then, *standings[number + 1 :])
                counts.update(self._count(state_then, others, (*order, name)))
        if not any(standings):
            verdict = self._judge(state)
            counts[verdict] = 1
            for problem in verdict.problems:
                self._found.examples.setdefault(problem, order)
        self._below[state, standings] = counts
        return counts

    def _step(self, name: str, standing: Standing, state: State) -> tuple[Standing, State]:
        """What one step of an actor leads to."""
        taken = (name, standing, state)
        if taken not in self._steps:
            actor = self._alive.pop((name, standing), None) or self._again(name, standing)
            self._scene.restore(state)
            actor.step()
            if actor.steps > LONGEST:
                raise RuntimeError(f"{name} does not come to an end")
            then = actor.standing
            self._steps[taken] = (then, self._scene.keep())
            if then is not None:
                self._origin.setdefault((name, then), (standing, state))
                self._alive[name, then] = actor
        return self._steps[taken]

    def _again(self, name: str, standing: Standing) -> Actor:
        """An actor who stands there: by steps that are known."""
        states: list[State] = []
        before = standing
        while (name, before) in self._origin:
            before, state = self._origin[name, before]
            states.append(state)
        actor = self._new(name)
        for state in reversed(states):
            self._scene.restore(state)
            actor.step()
        assert actor.standing == standing, f"{name} acts upon something that is no part of the state"
        return actor

    def _new(self, name: str) -> Actor:
        return Actor(name, self._scenario.actors[name], self._scene)

    def _judge(self, state: State) -> Verdict:
        if state not in self._verdicts:
            self._scene.restore(state)
            self._verdicts[state] = self._scenario.ends(self._scene)
        return self._verdicts[state]
