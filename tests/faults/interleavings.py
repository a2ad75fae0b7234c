"""All interleavings of senders, promotions, people and sweeps: how many there are, and what broke.

At the end the explorer has to find bugs that are put in on purpose, or it could not have found any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, true

from rescore.ledger import leases, syncs, tables
from rescore.ledger.chunk import Chunk
from rescore.ledger.syncs import SyncResult
from tests.faults import scenarios_of_erasing, scenarios_of_holds, scenarios_of_runs, scenarios_of_senders
from tests.faults.homes import scratch
from tests.faults.report import Layer, Say
from tests.faults.scenarios import Surroundings
from tests.faults.scenarios_of_senders import STALE
from tests.faults.schedules import Explored, Scenario, explore
from tests.faults.turns import Scene
from tests.support import databases

TARGET_SCENARIOS, TARGET_ORDERS = 8, 1_000_000
SCENARIOS: tuple[Scenario, ...] = (
    *scenarios_of_senders.ALL,
    *scenarios_of_runs.ALL,
    *scenarios_of_holds.ALL,
    *scenarios_of_erasing.ALL,
)
SHORT = ("breaker", "update_crm, reconcile, a new score, an edit")


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
    """A layer that counts scenarios, one that counts orders, and one of the bugs that it has to find."""
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
    return [scenarios, orders] if short else [scenarios, orders, seeded(say)]


# ── bugs on purpose ──────────────────────────────────────────────────────────────────────────────────


def seeded(say: Say) -> Layer:
    """Every one has to be found; a bug that is not is a violation of the explorer's own promise."""
    layer = Layer("interleavings, bugs on purpose found", len(BUGS))
    for name, bug, scenario, shows in BUGS:
        with bug():
            found = explored(scenario)
        number = shows(found)
        say(f"with {name}: {number:,} of {found.orders:,} orders show it")
        layer.done += bool(number)
    return layer


@contextmanager
def acknowledging_the_current_version() -> Iterator[None]:
    """Not the one that was sent."""
    real, sync = syncs.settle, tables.sync

    def settle(connection: Connection, results: Iterable[SyncResult], **how: Any) -> Any:
        def current(result: SyncResult) -> SyncResult:
            mine = (sync.c.lead == result.claim.lead) & (sync.c.scorecard == result.claim.scorecard)
            ver = connection.scalars(select(sync.c.want_ver).where(mine)).one()
            return replace(result, claim=replace(result.claim, ver=ver))

        return real(connection, [current(result) for result in results], **how)

    with _instead(syncs, "settle", settle):
        yield


@contextmanager
def claiming_what_others_hold() -> Iterator[None]:
    """Leases are written and nobody looks at them."""
    with _instead(leases, "free", lambda table, now: table.c.state == "due"):
        yield


@contextmanager
def promoting_without_a_guard() -> Iterator[None]:
    """Whoever comes last wins."""
    real = Chunk.__init__

    def begins(self: Chunk, *how: Any) -> None:
        real(self, *how)
        self.wins = true()

    with _instead(Chunk, "__init__", begins):
        yield


@contextmanager
def _instead(owner: Any, name: str, other: Any) -> Iterator[None]:
    real = getattr(owner, name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, real)


Bug = tuple[str, Callable[[], AbstractContextManager[None]], Scenario, Callable[[Explored], int]]


def _broken(found: Explored) -> int:
    return found.broken


BUGS: tuple[Bug, ...] = (
    (
        "the current version acknowledged, not the sent one",
        acknowledging_the_current_version,
        scenarios_of_senders.REFERENCE,
        lambda found: found.with_note(STALE),
    ),
    ("leases that nobody looks at", claiming_what_others_hold, scenarios_of_senders.DELIVERERS, _broken),
    ("promotions without a guard", promoting_without_a_guard, scenarios_of_runs.TWO_RUNS, _broken),
)
