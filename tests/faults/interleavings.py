"""All interleavings of senders, promotions, people and sweeps: how many there are, and what broke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import (
    scenarios_of_erasing,
    scenarios_of_holds,
    scenarios_of_landing,
    scenarios_of_runs,
    scenarios_of_senders,
)
from tests.faults.homes import scratch
from tests.faults.report import Layer, Say
from tests.faults.scenarios import Surroundings
from tests.faults.schedules import Explored, Scenario, explore
from tests.faults.turns import Scene
from tests.support import databases

TARGET_SCENARIOS, TARGET_ORDERS = 8, 1_000_000
SCENARIOS: tuple[Scenario, ...] = (
    *scenarios_of_senders.ALL,
    *scenarios_of_runs.ALL,
    *scenarios_of_holds.ALL,
    *scenarios_of_erasing.ALL,
    *scenarios_of_landing.ALL,
)
SHORT = ("breaker", "update_crm, a new score", "a promotion and a landing", "an extract, a change")


@contextmanager
def scene() -> Iterator[Scene]:
    """An empty ledger in a file in memory, and an empty world."""
    with scratch() as place:
        (place / "home").mkdir()
        one = Scene(databases.migrated_file(place / "home" / "ledger.db"), Surroundings())
        try:
            yield one
        finally:
            one.close()


def explored(scenario: Scenario) -> Explored:
    """All orders of one scenario, from an empty ledger."""
    with scene() as empty:
        return explore(scenario, empty)


def told(scenario: Scenario, found: Explored) -> str:
    """A line of the report."""
    notes = {note for verdict in found.verdicts for note in verdict.notes}
    also = "".join(f", {found.with_note(note):,} {note}" for note in sorted(notes))
    size = f"{found.orders:,} orders ({found.states:,} states, {found.steps:,} steps)"
    return f"{scenario.name}: all {size}{also}"


def run(short: bool, say: Say) -> list[Layer]:
    """A layer that counts scenarios, and one that counts orders."""
    chosen = [one for one in SCENARIOS if one.name.startswith(SHORT)] if short else SCENARIOS
    scenarios = Layer("interleavings, scenarios", len(chosen) if short else TARGET_SCENARIOS)
    orders = Layer("interleavings, orders", 10_000 if short else TARGET_ORDERS)
    for scenario in chosen:
        found = explored(scenario)
        say(told(scenario, found))
        scenarios.done += 1
        orders.done += found.orders
        for problem, order in found.examples.items():
            orders.violations.append(f"{scenario.name}: {problem}, as in {' '.join(order)}")
    return [scenarios, orders]
