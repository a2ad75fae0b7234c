"""How often do automations fire? What the gate compares a run with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from rescore.ledger import tables
from rescore.rules.card import Scorecard

LOOK_BACK = timedelta(days=28)


def usual_daily(connection: Connection, scorecard: str, automation: str, now: datetime) -> float:
    """How often an automation fired a day over the last 28 days, or since it exists if that is shorter.

    What only new rules caused is not usual and not counted.
    """
    crossing, activation = tables.crossing, tables.activation
    born = (
        select(activation.c.activated_at)
        .join(
            tables.automation,
            (tables.automation.c.scorecard == activation.c.scorecard)
            & (tables.automation.c.born == activation.c.activation_seq),
        )
        .where(tables.automation.c.scorecard == scorecard, tables.automation.c.automation == automation)
    )
    since = max(now - LOOK_BACK, connection.scalar(born) or now - LOOK_BACK)
    fired = _fired(connection, scorecard, automation, crossing.c.by_rules.is_(False), since=since, until=now)
    return fired / max(1.0, (now - since) / timedelta(days=1))


def fired_since(connection: Connection, scorecard: str, automation: str, since: datetime) -> int:
    """How often an automation has fired in scores as of `since` or later."""
    return _fired(connection, scorecard, automation, since=since)


def last_fired(
    connection: Connection,
    card: Scorecard,
    *which: ColumnElement[bool],
    rows: Callable[..., Select[Any]] = select,
) -> dict[str, dict[str, datetime]]:
    """When the automations with a cooldown last fired, by lead and automation.

    Args:
        connection: In a transaction.
        card: Whose automations.
        which: Of which crossings; all when left out.
        rows: Selects columns from what `which` speaks of.
    """
    cooling = [automation.id for automation in card.automations if automation.cooldown is not None]
    if not cooling:
        return {}
    crossing = tables.crossing
    lasts = rows(crossing.c.lead, crossing.c.automation, func.max(crossing.c.as_of).label("at")).where(
        crossing.c.scorecard == card.id,
        crossing.c.automation.in_(cooling),
        crossing.c.outcome == "fired",
        *which,
    )
    fired: dict[str, dict[str, datetime]] = defaultdict(dict)
    for row in connection.execute(lasts.group_by(crossing.c.lead, crossing.c.automation)):
        fired[row.lead][row.automation] = row.at
    return fired


def _fired(
    connection: Connection,
    scorecard: str,
    automation: str,
    *which: ColumnElement[bool],
    since: datetime,
    until: datetime | None = None,
) -> int:
    crossing = tables.crossing
    query = select(func.count()).where(
        crossing.c.scorecard == scorecard,
        crossing.c.automation == automation,
        crossing.c.outcome == "fired",
        crossing.c.as_of >= since,
        *which,
    )
    if until is not None:
        query = query.where(crossing.c.as_of < until)
    return connection.scalar(query) or 0
