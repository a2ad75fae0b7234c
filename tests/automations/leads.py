"""One lead and one automation: what a commit brings, and what it should make of a standing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rescore.automations.score_conditions import Values
from rescore.automations.state_machine import FRESH, Commit, Machine, Outcome, Standing, State, Transition
from rescore.rules.card import Automation, Band
from tests.ledger.world import an_automation, when

BANDS = (Band("A", 100_000), Band("B", 50_000), Band("C", 0))
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)

FIRED = Standing(State.FIRED, 1)
HELD = Standing(State.HELD, 1)

UP, DOWN = when(score={"at_least": 100}), when(score={"below": 85})


def mql(**policies: Any) -> Automation:
    """Fires at 100, is ready again below 85."""
    return an_automation("mql", UP, DOWN, **policies)


def values(score: int | None, **more: int | str | None) -> Values:
    return {"score": score, "band": None, "grade": None, "engagement": score, **more}


def commit(old: int | str | None, new: int | None, **more: Any) -> Commit:
    """`old` is `"never"` for a lead that never had a score, None for one outside the audience."""
    before = None if isinstance(old, str) else values(old)
    return Commit(old=before, new=values(new), as_of=NOW, **more)


def step(
    automation: Automation, what: Commit, *, standing: Standing = FRESH, may_fire: bool = True
) -> Transition | None:
    return Machine(automation, BANDS, BERLIN).step(standing, what, may_fire=may_fire)


def said(found: Transition | None) -> tuple[Any, ...] | None:
    """Outcome, state, arming number, and the reason if there is one."""
    if found is None:
        return None
    told = (found.outcome, found.standing.state, found.standing.n)
    return told if found.reason is None else (*told, found.reason)


def fires(n: int = 1) -> tuple[Any, ...]:
    return Outcome.FIRED, State.FIRED, n


def starts_fired(n: int = 1) -> tuple[Any, ...]:
    return Outcome.STARTED_FIRED, State.FIRED, n


def armed_again(n: int) -> tuple[Any, ...]:
    return Outcome.READY_AGAIN, State.ARMED, n


def suppressed(reason: str, n: int = 1) -> tuple[Any, ...]:
    return Outcome.SUPPRESSED, State.FIRED, n, reason
