"""Real Airflow, real processes, real signals: scenarios, and after each the promises.

One Airflow serves all scenarios of a ledger. What may not be is looked for after each of them: a score
other than in a deployment that nothing happened to, a run that tells the world something new, a delivery
under two bodies or as two, a lead or a failure that nobody counts.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from demo.places import CannotStart
from tests.faults import airflow_kills, airflow_overlaps
from tests.faults.airflow_rest import Undisturbed, settle, violations
from tests.faults.airflow_server import running
from tests.faults.airflow_world import NeverHappened, World
from tests.faults.report import Layer, Say

LEDGERS = ("sqlite", "postgresql") if os.environ.get("RESCORE_FAULTS") == "all" else ("sqlite",)
"""Airflow's own database is PostgreSQL in any case: two schedulers need it."""

SCENARIOS = airflow_kills.SCENARIOS | airflow_overlaps.SCENARIOS


def run(short: bool, say: Say) -> list[Layer]:
    """Every scenario on each ledger; none of them is short enough for `make test`, which has `dag.test()`."""
    if short:
        return []
    return [_on(ledger, say) for ledger in LEDGERS]


def _on(ledger: str, say: Say) -> Layer:
    layer = Layer(f"scenarios on a real Airflow, {ledger}", len(SCENARIOS))
    with tempfile.TemporaryDirectory(prefix="rescore-undisturbed-") as folder:
        try:
            with running(ledger, _changes_only(say)) as world:
                undisturbed = Undisturbed(world, Path(folder))
                scenarios = SCENARIOS | (airflow_overlaps.ON_A_SMALL_DISK if world.small_disk else {})
                layer.target = len(scenarios)
                for name, scenario in scenarios.items():
                    _play(name, scenario, world, undisturbed, layer, say)
                undisturbed.close()
        except NeverHappened as problem:
            say(f"  {ledger}: {problem}")
    return layer


def _play(
    name: str,
    scenario: Callable[[World], None],
    world: World,
    undisturbed: Undisturbed,
    layer: Layer,
    say: Say,
) -> None:
    """One scenario: `done` when its fault came about and everything could be looked at."""
    began = time.monotonic()
    try:
        scenario(world)
        found = [*settle(world), *violations(world, undisturbed)]
    except AssertionError as broken:
        found = [str(broken)]
    except (NeverHappened, CannotStart, requests.RequestException) as problem:
        say(f"  {name}: not done, {problem}")
        return
    finally:
        world.mend()
    layer.done += 1
    layer.violations += [f"{name}: {each}" for each in found]
    verdict = f"{len(found)} violations, such as: {found[0]}" if found else "holds"
    say(f"  {name}: {verdict} ({time.monotonic() - began:.0f} s)")


def _changes_only(say: Say) -> Say:
    """Says a line once, however often it is told while it waits."""
    last = ""

    def change(line: str) -> None:
        nonlocal last
        if line != last:
            last = line
            say(f"  {line}")

    return change
