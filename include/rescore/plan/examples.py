"""Some leads that a rules change moves, accounted for under both versions."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rescore.plan.effects import Both
from rescore.plan.plan import LeadExample
from rescore.scoring.activity_sums import LATEST
from rescore.scoring.compile import CHOICE
from rescore.scoring.engine import score
from rescore.scoring.explain import explained, matching
from rescore.scoring.facts import Facts
from rescore.scoring.pair import OLD

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


class Explaining:
    """Accounts for a few leads under both cards, by the rows that are there and one more look at activities.

    Args:
        both: Everybody under both cards.
        facts: The facts of these leads.
        leads: Which.
        as_of: The scoring time.
    """

    def __init__(self, both: Both, facts: Facts, leads: Collection[str], *, as_of: datetime) -> None:
        self._both, self._as_of = both, as_of
        if both.old_rules:
            rows = both.rows.filter(pc.is_in(both.rows["lead"], pa.array(leads, pa.string()))).to_pylist()
            self._new = {row["lead"]: row for row in rows}
            self._old = {row["lead"]: self._old_side(row) for row in rows}
        else:
            self._new, self._old = (
                {row["lead"]: row for row in score(card, facts, as_of=as_of).to_pylist()}
                for card in (both.new, both.old)
            )
        own = tuple(rule for rule in both.old.rules if rule.id not in self._shared)
        self._found = matching(both.new, facts, as_of=as_of)
        self._found_old = matching(replace(both.old, rules=own), facts, as_of=as_of) if own else {}

    def example(self, lead: str) -> LeadExample:
        """Both explanations of one lead."""
        found = self._found.get(lead, {})
        before = dict(self._found_old.get(lead, {}))
        for rule, column in self._shared.items():
            before |= {rule: found.get(column), rule + LATEST: found.get(column + LATEST)}
        return LeadExample(
            lead,
            explained(self._both.old, self._old[lead], before, as_of=self._as_of),
            explained(self._both.new, self._new[lead], found, as_of=self._as_of),
        )

    @cached_property
    def _shared(self) -> dict[str, str]:
        """The old card's rules that mean the same as one of the new card's, which is looked at once."""
        new = {rule.id for rule in self._both.new.rules}
        return {rule: column for rule, column in self._both.old_rules.items() if column in new}

    def _old_side(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of both sides as `score` would give it under the old card."""
        old = self._both.old
        shown = ["score", "band", "grade", *(dimension.id for dimension in old.dimensions)]
        plain = {"lead": row["lead"]} | {name: row.get(OLD + name) for name in shown}
        for rule, column in self._both.old_rules.items():
            plain |= {rule: row[column], rule + CHOICE: row.get(column + CHOICE)}
        return plain
