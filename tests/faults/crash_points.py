"""Crashes at every point of the scripted life, and at points of the recovery from a crash.

Between two effects (commits of ledger and lake, calls to the world, changes of files) the stores stay as they
are: a crash at a statement of SQL leaves what a crash at the next effect leaves. So effects come first, on
SQLite all of them, then statements until there are enough; RESCORE_FAULTS=all crashes at every one.
After the crash come the next runs, or for every other point first a retry of the one that died.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.faults import stage, story
from tests.faults.crash import Crash, Points, watched
from tests.faults.homes import BOTH, Database
from tests.faults.life import Life
from tests.faults.report import Layer, Say
from tests.faults.stage import Known, recover

SEED = 20261102
POINTS: dict[Database, int] = {"sqlite": 800, "postgresql": 640}
PAIRS: dict[Database, int] = {"sqlite": 1160, "postgresql": 360}
TARGET_POINTS, TARGET_PAIRS = 600, 1500
SHORT_CHAPTERS, SHORT_POINTS, SHORT_PAIRS = 2, 4, 1


@dataclass(frozen=True)
class Case:
    """A crash at the `first` point of a chapter, and perhaps at the `second` one of the recovery from it.

    `retry` says how somebody recovers first, see `recover`; None: by turns from point to point.
    """

    database: Database
    chapter: int
    first: int
    second: int | None = None
    retry: bool | None = None

    def __str__(self) -> str:
        then = "" if self.second is None else f", then at point {self.second} of the recovery"
        return f"{self.database}, {story.CHAPTERS[self.chapter].name}, crashed at point {self.first}{then}"


@dataclass(frozen=True)
class Tried:
    """What became of a case: whether it crashed as often as it should, and the effects of its recovery."""

    case: Case
    crashed: bool
    violations: list[str]
    recovery: list[int]


def tried(case: Case) -> Tried:
    """Crash, recover, and look."""
    known = stage.here().known[case.database][case.chapter]
    with known.begins.live(stage.here().place) as life:
        known.chapter.happens(life)
        first, second = Points(case.first), Points(case.second)
        retry = case.first % 2 == 0 if case.retry is None else case.retry
        found: list[str] = []
        died = _dies(life, first, lambda: known.chapter.act(life), found)
        again = _dies(life, second, lambda: recover(life, known.chapter, retry=retry), found)
        if again:
            _dies(life, Points(), lambda: recover(life, known.chapter, retry=case.first % 4 == 0), found)
        found += known.problems(life)
        at = f" ({first.path[-1]})" if died else ""
        told = [f"{case}{at}: {problem}" for problem in found]
        return Tried(case, died and (again or case.second is None), told, second.effects)


def _dies(life: Life, points: Points, act: Callable[[], None], found: list[str]) -> bool:
    """Whether it did; any end that is no crash and no sentence is a violation."""
    try:
        with watched(life, points):
            act()
    except Crash:
        return True
    except Exception as error:  # the harness reports whatever it was
        found.append(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    return False


def singles(database: Database, chapters: Sequence[Known], number: int | None) -> list[Case]:
    """So many cases, effects before statements; None: one at every point there is."""
    every = [
        Case(database, index, point)
        for index, known in enumerate(chapters)
        for point in range(1, known.points + 1)
    ]
    if number is None:
        return every
    sure = [Case(database, index, point) for index, known in enumerate(chapters) for point in known.effects]
    chance = random.Random(SEED)
    if number < len(sure):
        return chance.sample(sure, number)
    rest = sorted(set(every) - set(sure), key=str)
    return sure + chance.sample(rest, min(number - len(sure), len(rest)))


def pairs(results: Iterable[Tried], number: int) -> list[Case]:
    """So many of all pairs of a crash and an effect of the recovery from it."""
    every = [
        Case(each.case.database, each.case.chapter, each.case.first, second)
        for each in results
        for second in each.recovery
    ]
    return random.Random(SEED).sample(every, min(number, len(every)))


def run(short: bool, say: Say) -> list[Layer]:
    """A layer for each database; the pairs of both are one."""
    chapters = story.CHAPTERS[:SHORT_CHAPTERS] if short else story.CHAPTERS
    together = Layer("crashes in recovery", SHORT_PAIRS * len(BOTH) if short else TARGET_PAIRS)
    layers: list[Layer] = []
    with stage.told(BOTH, chapters, say) as scene, ExitStack() as rest:
        pool = None if short else rest.enter_context(stage.workers(scene))

        def count(layer: Layer, cases: Sequence[Case]) -> Iterator[Tried]:
            for number, one in enumerate(stage.play(scene, cases, tried, pool), 1):
                layer.done += one.crashed
                layer.violations += one.violations
                for problem in one.violations:
                    say(f"  {problem}")
                if number % 100 == 0:
                    say(f"{layer.name}: {number:,} of {len(cases):,}, {len(layer.violations)} violations")
                yield one

        for database in BOTH:
            layer = Layer(f"crash points, {database}", SHORT_POINTS if short else TARGET_POINTS)
            layers.append(layer)
            number = None if os.environ.get("RESCORE_FAULTS") == "all" else POINTS[database]
            results = list(
                count(layer, singles(database, scene.known[database], SHORT_POINTS if short else number))
            )
            list(count(together, pairs(results, SHORT_PAIRS if short else PAIRS[database])))
    return [*layers, together]
