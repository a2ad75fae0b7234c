"""How often do automations fire? What the gate compares a run with."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from rescore.ledger import tables

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
