"""Bugs that are put in on purpose: the layers have to find each of them, or they could not have found any."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults import seeds_of_deliveries
from tests.faults.hunts import Case, Grounds
from tests.faults.report import Layer, Say
from tests.faults.seed import Seed

TARGET = 30
SEEDS: tuple[Seed, ...] = (*seeds_of_deliveries.SEEDS,)


@dataclass(frozen=True)
class Hunted:
    """What became of one bug: the case that shows it, and how; `violations` of the harness's own promise."""

    seed: Seed
    case: Case | None
    shows: str
    violations: tuple[str, ...] = ()


def hunted(seed: Seed, grounds: Grounds) -> Hunted:
    """Play its cases until one of them breaks a promise that holds where the bug is not."""
    tried = 0
    for case in seed.hunt(grounds):
        tried += 1
        with seed.bug():
            found = case.play()
        if not found:
            continue
        if without := case.play():
            return Hunted(seed, None, "", (f"{case.name} is broken without the bug, too: {without[0]}",))
        return Hunted(seed, case, found[0])
    return Hunted(seed, None, "", (f"it is found in none of {tried} cases",))


def run(short: bool, say: Say) -> Layer:
    """Every bug, one after the other; or those that are found soonest."""
    seeds = [seed for seed in SEEDS if seed.name in SHORT] if short else SEEDS
    layer = Layer("seeded bugs", len(SHORT) if short else TARGET)
    with ExitStack() as rest:
        grounds = Grounds(rest, SHORT_CHAPTERS) if short else Grounds(rest)
        for seed in seeds:
            began = time.monotonic()
            one = hunted(seed, grounds)
            layer.done += one.case is not None
            layer.violations += [f"{seed.name}: {violation}" for violation in one.violations]
            where = f"{one.case.layer}, {one.case.name}: {one.shows}" if one.case else one.violations[0]
            say(f"{seed.name}: {where} ({time.monotonic() - began:.0f} s)")
    return layer


SHORT: Sequence[str] = ()
SHORT_CHAPTERS = 2
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
