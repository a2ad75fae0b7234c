"""Bugs that are put in on purpose: the layers have to find each of them, or they could not have found any."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults import (
    seeds_of_connections,
    seeds_of_deliveries,
    seeds_of_landing,
    seeds_of_people,
    seeds_of_promotion,
    seeds_of_sending,
)
from tests.faults.hunts import Case, Grounds
from tests.faults.report import Layer, Say
from tests.faults.seed import Seed

TARGET = 30
SEEDS: tuple[Seed, ...] = (
    *seeds_of_landing.SEEDS,
    *seeds_of_promotion.SEEDS,
    *seeds_of_sending.SEEDS,
    *seeds_of_deliveries.SEEDS,
    *seeds_of_people.SEEDS,
    *seeds_of_connections.SEEDS,
)
SHORT = (
    "the newest version is acknowledged, not the one that was sent",
    "a lost answer leaves what the CRM shows as it was known",
    "a delivery gets another id at every try",
    "a task is made without looking for it",
    "a refused batch is not halved",
)

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGINS, ENDS = "<!-- seeded bugs -->", "<!-- /seeded bugs -->"


@dataclass(frozen=True)
class Hunted:
    """What became of one bug: the case that shows it, or why nothing does."""

    case: Case | None
    told: str


def hunted(seed: Seed, grounds: Grounds) -> Hunted:
    """Play its cases until one of them breaks a promise that holds where the bug is not."""
    tried = 0
    for case in seed.hunt.cases(grounds):
        tried += 1
        with seed.bug():
            found = case.play()
        if not found:
            continue
        if without := case.play():
            return Hunted(None, f"{case.name} is broken without it, too: {without[0]}")
        shown = next((problem for problem in found if seed.shows in problem), None)
        if shown is None:
            return Hunted(None, f"{case.name} shows something else: {found[0]}")
        return Hunted(case, shown)
    return Hunted(None, f"it survives {tried} cases of {seed.hunt.layer}")


def run(short: bool, say: Say) -> Layer:
    """Every bug, one after the other; or those that are found soonest."""
    seeds = [seed for seed in SEEDS if seed.name in SHORT] if short else SEEDS
    layer = Layer("seeded bugs", len(SHORT) if short else TARGET)
    with ExitStack() as rest:
        grounds = Grounds(rest)
        for seed in seeds:
            began = time.monotonic()
            one = hunted(seed, grounds)
            where = f"{seed.hunt.layer}, {one.case.name}: " if one.case else ""
            say(f"{seed.name}: {where}{one.told} ({time.monotonic() - began:.0f} s)")
            layer.done += one.case is not None
            if one.case is None:
                layer.violations.append(f"{seed.name}: {one.told}")
    return layer


def render() -> str:
    """Every bug, the layer that has to find it, and how it shows there."""
    rows = [f"| {seed.name} | {seed.hunt.layer}: {seed.hunt.where} | {seed.shows} |" for seed in SEEDS]
    return "\n".join(["| bug | killed by | how it shows |", "|---|---|---|", *rows])


def write_docs() -> None:
    """Put the table between the marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    PAGE.write_text(f"{before}{BEGINS}\n{render()}\n{ENDS}{after}")


def committed() -> str:
    """What the page has between the marks."""
    return PAGE.read_text().partition(BEGINS)[2].partition(ENDS)[0].strip("\n")
