"""Leads that are outside every audience: deleted at the source, or objecting to being profiled."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rescore.rules.card import AllOf, Comparison, Condition, Kind, Not, Operator
from rescore.scoring.conditions import holds
from rescore.scoring.reading import Reader
from rescore.scoring.sql import Sql, case, text
from rescore.withheld import ATTRIBUTES

COLUMN = "withheld"


def of_those_that_may_be_scored(audience: Condition, fields: Collection[str]) -> Condition:
    """The audience without them; `fields` are the attributes that there are."""
    marked = [Not(condition) for condition, _ in _conditions(fields)]
    return AllOf((audience, *marked)) if marked else audience


def reason(leads: Reader) -> Sql | None:
    """Why a lead is withheld, null where it is not; None where no lead can be."""
    branches = [(holds(condition, leads), text(why)) for condition, why in _conditions(leads.types)]
    return case(*branches) if branches else None


def _conditions(fields: Collection[str]) -> Iterator[tuple[Condition, str]]:
    for name, why in ATTRIBUTES.items():
        if name in fields:
            yield Comparison(name, Operator.IS, Kind.FLAG, (True,)), why
