"""When does an automation fire? One pure state machine: standing and values in, a transition out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from rescore.model import split_lead_key
from rescore.rules.card import AllOf, AnyOf, Automation, Band, Comparison, Condition, Kind, Not, Operator
from rescore.text import fold, word_line

Values = Mapping[str, int | str | None]
"""What conditions look at: `score`, `band`, and each dimension by its id, in whole points."""

DELIVERIES = UUID("6f7c1a0e-53a1-5d0e-9b5d-9a4c1b6f2d11")
"""The namespace of delivery ids; changing it would send everything again."""


class State(StrEnum):
    """Where an automation stands with a lead."""

    ARMED = "armed"
    FIRED = "fired"


@dataclass(frozen=True, slots=True)
class Standing:
    """State and arming number; a lead that nothing is known of stands at `FRESH`."""

    state: State
    n: int


FRESH = Standing(State.ARMED, 1)


@dataclass(frozen=True, slots=True)
class Transition:
    """The standing after a commit, and whether its way there is a crossing that is acted upon."""

    standing: Standing
    fires: bool


class Machine:
    """One automation's state machine, its conditions made ready for many leads.

    `bands` are the scorecard's, from the highest to the lowest.
    """

    def __init__(self, automation: Automation, bands: Sequence[Band]) -> None:
        self.automation = automation
        self._fire = test_of(automation.fire_when)
        again = automation.ready_again_when
        self._ready = test_of(Not(automation.fire_when) if again is None else again)
        self._upward = only_looks_upward(automation.fire_when, bands)

    def step(
        self, standing: Standing, old: Values | None, new: Values, *, newborn: bool, may_fire: bool
    ) -> Transition | None:
        """What a commit does to one lead's standing; None when nothing.

        A commit makes at most one transition: what re-arms cannot fire in the same commit.

        Args:
            standing: Before the commit.
            old: The committed values before it; None when the lead never had a score. A null score means
                that the lead was outside the audience.
            new: The values being committed.
            newborn: The automation appeared after `old` was committed, so its standing has to be found from
                `old`: what already satisfies it then is past and does not fire.
            may_fire: False while the first load of a scorecard runs.
        """
        if new["score"] is None:
            return None
        was_scored = old is not None and old["score"] is not None
        start = self._born(standing, old if was_scored else None) if newborn else standing
        after, fires = start, False
        if start.state is State.FIRED:
            if self._ready(new):
                after = Standing(State.ARMED, start.n + 1)
        elif self._fire(new):
            after = Standing(State.FIRED, start.n)
            fires = may_fire and (was_scored or (old is None and self._upward))
        return None if after == standing else Transition(after, fires)

    def _born(self, standing: Standing, old: Values | None) -> Standing:
        """An automation that appears (again) starts from the old values, with an arming number never used."""
        n = standing.n + (standing.state is State.FIRED)
        return Standing(State.FIRED if old is not None and self._fire(old) else State.ARMED, n)


def holds(condition: Condition, values: Values) -> bool:
    """Whether a condition is true; a comparison with a missing value is false, and its `not` true."""
    return test_of(condition)(values)


def test_of(condition: Condition) -> Callable[[Values], bool]:
    """A condition as a function of the values, for asking it often."""
    match condition:
        case AllOf(parts):
            every = [test_of(part) for part in parts]
            return lambda values: all(test(values) for test in every)
        case AnyOf(parts):
            some = [test_of(part) for part in parts]
            return lambda values: any(test(values) for test in some)
        case Not(part):
            test = test_of(part)
            return lambda values: not test(values)
        case Comparison():
            return _comparison(condition)


def only_looks_upward(condition: Condition, bands: Sequence[Band] = ()) -> bool:
    """Whether a higher score can only make the condition truer: then a lead's first score may fire it.

    A comparison of `band` looks upward when it asks for the topmost bands.
    """
    return _looks(condition, bands, up=True)


def delivery_id(scorecard: str, automation: str, lead: str, n: int, action: int) -> str:
    """The same for the same crossing and action, whoever computes it and however often."""
    return str(uuid5(DELIVERIES, f"{scorecard}|{automation}|{lead}|{n}|{action}"))


def crossing_body(
    *,
    delivery: str,
    scorecard: str,
    automation: Automation,
    lead: str,
    n: int,
    old: Values | None,
    new: Values,
    reasons: Sequence[Mapping[str, Any]],
    rules_version: int,
    activation: int,
    as_of: datetime,
) -> bytes:
    """What a receiver is told of a crossing, frozen: the bytes that are signed and sent, every time.

    It names the lead by its ids and holds no attribute of it.
    """
    before = old or {"score": None, "band": None}
    source, lead_id = split_lead_key(lead)
    data = {
        "delivery_id": delivery,
        "scorecard": scorecard,
        "automation": automation.id,
        "label": automation.label,
        "lead": {"source": source, "lead_id": lead_id, "key": lead},
        "score": {"old": before["score"], "new": new["score"]},
        "band": {"old": before["band"], "new": new["band"]},
        "dimensions": {name: value for name, value in new.items() if name not in ("score", "band")},
        "reasons": list(reasons),
        "rules_version": rules_version,
        "activation": activation,
        "as_of": as_of.isoformat(),
        "arming": n,
    }
    message = {"type": "rescore.crossing", "timestamp": as_of.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _looks(condition: Condition, bands: Sequence[Band], *, up: bool) -> bool:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return all(_looks(part, bands, up=up) for part in parts)
        case Not(part):
            return _looks(part, bands, up=not up)
        case Comparison(operator=Operator.AT_LEAST | Operator.ABOVE):
            return up
        case Comparison(operator=Operator.AT_MOST | Operator.BELOW):
            return not up
        case Comparison("band", Operator.EQUALS | Operator.IN, _, values):
            asked = {fold(str(value)) for value in values}
            outermost = bands[: len(asked)] if up else bands[len(bands) - len(asked) :]
            return asked == {fold(band.id) for band in outermost}
        case _:
            return False


_TESTS: dict[Operator, Callable[[Any, tuple[Any, ...]], bool]] = {
    Operator.EQUALS: lambda value, literals: value == literals[0],
    Operator.IN: lambda value, literals: value in literals,
    Operator.AT_LEAST: lambda value, literals: value >= literals[0],
    Operator.AT_MOST: lambda value, literals: value <= literals[0],
    Operator.ABOVE: lambda value, literals: value > literals[0],
    Operator.BELOW: lambda value, literals: value < literals[0],
    Operator.BETWEEN: lambda value, literals: literals[0] <= value <= literals[1],
    Operator.CONTAINS: lambda value, literals: literals[0] in value,
    Operator.CONTAINS_ANY: lambda value, literals: any(literal in value for literal in literals),
    Operator.STARTS_WITH: lambda value, literals: value.startswith(literals),
    Operator.STARTS_WITH_ANY: lambda value, literals: value.startswith(literals),
    Operator.ENDS_WITH: lambda value, literals: value.endswith(literals),
    Operator.ENDS_WITH_ANY: lambda value, literals: value.endswith(literals),
    Operator.HAS_WORD: lambda value, literals: word_line(literals[0]) in word_line(value),
    Operator.HAS_ANY_WORD: lambda value, literals: any(
        word_line(word) in word_line(value) for word in literals
    ),
}


def _comparison(comparison: Comparison) -> Callable[[Values], bool]:
    field = comparison.field
    if comparison.operator is Operator.EXISTS:
        wanted = comparison.values[0]
        return lambda values: (values.get(field) is not None) == wanted
    test = _TESTS[comparison.operator]
    if comparison.kind is Kind.TEXT:
        texts = tuple(fold(str(value)) for value in comparison.values)
        return lambda values: (value := values.get(field)) is not None and test(fold(str(value)), texts)
    numbers = tuple(_plain(value) for value in comparison.values)
    return lambda values: (value := values.get(field)) is not None and test(value, numbers)


def _plain(number: Any) -> int | Decimal:
    """Whole numbers as int, which compares several times faster."""
    exact = Decimal(number)
    return int(exact) if exact == exact.to_integral_value() else exact
