"""Some leads that a rules change moves, accounted for under both versions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from rescore.plan.effects import Both
from rescore.plan.plan import LeadExample
from rescore.scoring.explain import explain
from rescore.scoring.facts import Facts

MOVERS, DRAWN = 5, 10


def chosen(both: Both, seed: str) -> tuple[list[str], list[str], list[str]]:
    """The leads that rise most, that fall most, and ten of those that change, drawn by a seed."""
    moved = pa.table({"lead": both.rows["lead"], "move": both.moves()})
    up = moved.filter(pc.greater(moved["move"], 0)).sort_by([("move", "descending"), ("lead", "ascending")])
    down = moved.filter(pc.less(moved["move"], 0)).sort_by([("move", "ascending"), ("lead", "ascending")])
    changed = both.rows["lead"].filter(both.changed()).sort().to_pylist()
    drawn = random.Random(seed).sample(changed, min(DRAWN, len(changed)))  # noqa: S311 - no secret
    return (
        up["lead"].slice(0, MOVERS).to_pylist(),
        down["lead"].slice(0, MOVERS).to_pylist(),
        drawn,
    )


def examples_of(
    both: Both, facts: Facts, leads: Sequence[str], *, as_of: datetime
) -> tuple[LeadExample, ...]:
    """Both explanations of each lead."""
    return tuple(
        LeadExample(
            lead,
            explain(both.old, facts, lead, as_of=as_of),
            explain(both.new, facts, lead, as_of=as_of),
        )
        for lead in leads
    )
