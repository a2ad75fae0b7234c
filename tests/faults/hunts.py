"""Where a bug is looked for: single cases of the layers, the cheapest first, until one of them shows it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from tests.faults import crash_points, databases, homes, interleavings, network, stage, story
from tests.faults.crash import Points, watched
from tests.faults.crash_points import Case as Crash
from tests.faults.homes import Snapshot
from tests.faults.schedules import Scenario, Verdict
from tests.faults.stage import Known
from tests.faults.turns import Scene


@dataclass(frozen=True)
class Case:
    """One case of a layer; `play` gives the promises that it sees broken."""

    name: str
    play: Callable[[], list[str]]


class Grounds:
    """What cases need to be played, each made when it is first asked for and given back at the end."""

    def __init__(self, rest: ExitStack, chapters: int = len(story.CHAPTERS)) -> None:
        self._rest = rest
        self._chapters = chapters

    @cached_property
    def place(self) -> network.Place:
        """A CRM behind a gateway, receivers, a mail server."""
        os.environ["RESCORE_ALLOWED_HOSTS"] = network.LOOPBACK
        return self._rest.enter_context(network.place_at(self._rest.enter_context(homes.scratch())))

    @cached_property
    def stage(self) -> stage.Stage:
        """The story on SQLite, as it is before each of its first chapters."""
        chapters = story.CHAPTERS[: self._chapters]
        return self._rest.enter_context(stage.told(["sqlite"], chapters, lambda line: None))

    @cached_property
    def begun(self) -> tuple[Snapshot, Path]:
        """A deployment on SQLite after its first load, and where copies of it may live."""
        place = self._rest.enter_context(homes.scratch())
        return self._rest.enter_context(databases.begun(place, "sqlite")), place


@dataclass(frozen=True)
class Hunt:
    """The cases in which a bug has to be found: of which layer, where there, and one by one."""

    layer: str
    where: str
    cases: Callable[[Grounds], Iterator[Case]]


def in_orders(*scenarios: Scenario) -> Hunt:
    """All interleavings of a scenario, up to the first one that breaks a promise."""

    def cases(grounds: Grounds) -> Iterator[Case]:
        for scenario in scenarios:
            yield Case(scenario.name, lambda scenario=scenario: _explored(scenario))

    return Hunt("interleavings", "; ".join(scenario.name for scenario in scenarios), cases)


class _Found(Exception):
    """An order that breaks a promise."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__()


def _explored(scenario: Scenario) -> list[str]:
    def ends(scene: Scene) -> Verdict:
        verdict = scenario.ends(scene)
        if verdict.problems:
            raise _Found(verdict.problems)
        return verdict

    try:
        interleavings.explored(replace(scenario, ends=ends))
    except _Found as found:
        return list(found.problems)
    except Exception as error:  # a bug may end anywhere
        return [f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"]
    return []


def in_story(*names: str, at: str = "") -> Hunt:
    """Chapters of the story: each as it is, then crashed wherever it is about to do what begins so."""

    def cases(grounds: Grounds) -> Iterator[Case]:
        known = grounds.stage.known["sqlite"]
        for number, chapter in enumerate(story.CHAPTERS):
            if chapter.name not in names:
                continue
            path: list[str] = []
            yield Case(chapter.name, lambda at=known[number], path=path: _whole(grounds, at, path))
            for point, what in enumerate(path, 1):
                for retry in (False, True) if at and what.startswith(at) else ():
                    name = f"{chapter.name}, point {point}{', retried' if retry else ''}"
                    one = Crash("sqlite", number, point, retry=retry)
                    yield Case(name, lambda one=one: _crashed(grounds, one))

    return Hunt("crash points" if at else "story", ", ".join(names), cases)


BEYOND = 10**9 + 1
"""A point that no chapter reaches."""


def _whole(grounds: Grounds, known: Known, path: list[str]) -> list[str]:
    """Without a crash; its points come from this life, too, because bugs move them."""
    points = Points()
    with known.begins.live(grounds.stage.place) as life:
        known.chapter.happens(life)
        with suppress(Exception), watched(life, points):
            known.chapter.act(life)
    path[:] = points.path
    return _crashed(grounds, Crash("sqlite", known.number, BEYOND))


def _crashed(grounds: Grounds, one: Crash) -> list[str]:
    [tried] = stage.play(grounds.stage, [one], crash_points.tried, None)
    return [problem.removeprefix(f"{one}").lstrip(": ") for problem in tried.violations]


def at_network(*names: str) -> Hunt:
    """Cells of the network's matrix."""

    def cases(grounds: Grounds) -> Iterator[Case]:
        place = grounds.place
        for cell in _named(network.cells(), names):
            network.play(place, cell)  # what is made when it is first asked for is made without the bug
            yield Case(str(cell), lambda cell=cell: _without(cell, network.play(place, cell)))

    return Hunt("network", "; ".join(names), cases)


def at_database(*names: str) -> Hunt:
    """Cells of the ledger's database in trouble, on SQLite."""

    def cases(grounds: Grounds) -> Iterator[Case]:
        begun, scratch = grounds.begun
        for cell in _named(databases.cells(), names):
            yield Case(
                str(cell),
                lambda cell=cell: _without(cell, databases.play(begun, scratch, cell, retry=True)),
            )

    return Hunt("databases", "; ".join(names), cases)


def _named(cells: Iterable[object], names: tuple[str, ...]) -> list[object]:
    found = {str(cell): cell for cell in cells}
    return [found.get(name) or _unknown(name) for name in names]


def _unknown(name: str) -> NoReturn:
    raise LookupError(f"there is no cell `{name}`")


def _without(cell: object, problems: list[str]) -> list[str]:
    return [problem.removeprefix(f"{cell}: ") for problem in problems]
