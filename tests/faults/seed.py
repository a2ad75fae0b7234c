"""One bug that is put in on purpose: how it breaks the product, and where it is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.breaking import Bug
from tests.faults.hunts import Hunt


@dataclass(frozen=True)
class Seed:
    """`hunt` has the cases of the layer that has to find it, `shows` is how it says so, leaving names out."""

    name: str
    bug: Bug
    hunt: Hunt
    shows: str
