"""The sandbox's world: a script of facts, placed in time, with its last days held back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sandbox_crm.awkward import plant
from sandbox_crm.cache import cached
from sandbox_crm.shapes import Script
from sandbox_crm.simulate import simulate

SEED: Final = 42
SCRIPT_VERSION: Final = 6  # count up when a change here or in simulate.py makes kept worlds stale


@dataclass(frozen=True)
class World:
    """A script that ends at a moment; what happens in its last days is not known to the CRM yet.

    Attributes:
        script: What happens, counted back from the end.
        ends_at: The moment of the last fact.
        held_back: How long before the end the CRM stops knowing, until it is told to release.
        planted: How many awkward rows of each kind are in the script.
    """

    script: Script
    ends_at: datetime
    held_back: timedelta
    planted: dict[str, int] = field(default_factory=dict)


def build_world(
    *,
    ends_at: datetime,
    leads: int = 5000,
    seed: int = SEED,
    hold_back_days: int = 3,
    awkward: bool = False,
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> World:
    """Generate a world, or take it from the cache; seconds for 5,000 leads, a moment for 200.

    Args:
        ends_at: The moment the world ends, usually now; aware.
        leads: How many contacts there are in all, those held back included.
        seed: The same seed gives the same people and the same days.
        hold_back_days: The last days that appear only when they are released.
        awkward: Whether to plant the rows real CRMs contain and connectors stumble over.
        cache: A folder to keep generated worlds in.
        progress: Told one line per step.
    """
    name = f"world-{SCRIPT_VERSION}-{leads}-{seed}"
    script = cached(cache, name, lambda: simulate(leads=leads, seed=seed, progress=progress))
    planted: dict[str, int] = {}
    if awkward:
        script, planted = plant(script, seed=seed)
    return World(script, ends_at, timedelta(days=hold_back_days), planted)
