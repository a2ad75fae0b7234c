"""What people wrote into a CRM over a value of ours: how long it stays, and who ended it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from rescore.ledger import tables
from rescore.ledger.outbox.wishes import ANEW, DRIFT
from rescore.withheld import OBJECTION

OPEN, ENDED = "open", "ended"
SETTLED, SMALL, OVERRIDDEN = AT_REST = ("settled", "small", "overridden")
"""States of what a target has a record of and is owed nothing of."""

AGAIN: Mapping[str, Any] = MappingProxyType({**ANEW, "priority": DRIFT, "shown_hash": None})
"""What makes `sync` owe a target again what it was shown once, behind everything that is new."""

UNKNOWN: Mapping[str, Any] = MappingProxyType({"shown_score": None, "shown_band": None, "shown_hash": None})
"""What `sync` says of a target when nobody knows whether it shows what was sent."""


@dataclass(frozen=True, slots=True)
class Override:
    """A value that stays although it is not ours, until `expires_at`; `owner` is named as the CRM does."""

    target: str
    lead: str
    property: str
    scorecard: str
    value: str | None = field(repr=False)
    owner: str
    reason: str
    seen_at: datetime
    expires_at: datetime


def note(connection: Connection, found: Iterable[Override]) -> None:
    """Open overrides, each in place of an open one of the same property."""
    table = tables.override
    for one in found:
        end(connection, [one], at=one.seen_at, by="a later edit")
        row = {column.name: getattr(one, column.name) for column in fields(one)}
        connection.execute(insert(table).values(state=OPEN, **row))


def open_of(connection: Connection, target: str, leads: Collection[str]) -> dict[str, dict[str, Override]]:
    """The open overrides of these leads, by lead and property."""
    table = tables.override
    found: dict[str, dict[str, Override]] = defaultdict(dict)
    for one in _open(connection, table.c.target == target, table.c.lead.in_(leads)):
        found[one.lead][one.property] = one
    return dict(found)


def all_open(connection: Connection) -> list[Override]:
    """Every open override, the one that ends first first."""
    return _open(connection)


def end(connection: Connection, overrides: Iterable[Override], *, at: datetime, by: str) -> int:
    """Close overrides, and nothing else; how many were open."""
    table = tables.override
    return sum(
        connection.execute(
            update(table)
            .where(
                table.c.state == OPEN,
                table.c.target == one.target,
                table.c.lead == one.lead,
                table.c.property == one.property,
            )
            .values(state=ENDED, ended_at=at, ended_by=by)
        ).rowcount
        for one in overrides
    )


def end_expired(connection: Connection, *, now: datetime) -> int:
    """End what has expired, and let our values be written again; how many."""
    found = _open(connection, tables.override.c.expires_at <= now)
    return _end_and_rewrite(connection, found, at=now, by="expired")


def end_not_kept(
    connection: Connection, target: str, keeps: Mapping[str, Collection[str]], *, at: datetime
) -> int:
    """End what a target's mapping does not let stay any more, and let our values be written again; how many.

    `keeps` are the properties in which a person's value stays, by scorecard.
    """
    of_target = _open(connection, tables.override.c.target == target)
    found = [one for one in of_target if one.property not in keeps.get(one.scorecard, ())]
    return _end_and_rewrite(connection, found, at=at, by="the mapping, which lets it stay no longer")


def end_of_objectors(connection: Connection, target: str, *, at: datetime) -> int:
    """End those of people who object to profiling, and let the target be emptied; how many.

    A score that somebody set by hand is profiling, too.
    """
    table, score = tables.override, tables.score
    objects = (
        select(score.c.lead)
        .where(
            score.c.scorecard == table.c.scorecard,
            score.c.lead == table.c.lead,
            score.c.withheld == OBJECTION,
        )
        .correlate(table)
        .exists()
    )
    found = _open(connection, table.c.target == target, objects)
    return _end_and_rewrite(connection, found, at=at, by="an objection to profiling")


def end_of_lead(connection: Connection, lead: str, *, at: datetime, by: str, name: str | None = None) -> int:
    """End a lead's overrides, or that of the property `name`, and let our values be written again; how many.

    One whose lead is being written at this moment stays, because nobody knows whether that call holds our
    value: end it again a minute later.
    """
    table = tables.override
    chosen = table.c.lead == lead
    if name is not None:
        chosen = and_(chosen, table.c.property == name)
    return _end_and_rewrite(connection, _open(connection, chosen), at=at, by=by)


def _end_and_rewrite(connection: Connection, found: Iterable[Override], *, at: datetime, by: str) -> int:
    ended, sync = 0, tables.sync
    for one in found:
        mine = (sync.c.scorecard == one.scorecard) & (sync.c.lead == one.lead) & (sync.c.target == one.target)
        lease = connection.execute(select(sync.c.lease_until).where(mine).with_for_update()).one_or_none()
        if lease is not None and lease.lease_until is not None and lease.lease_until > at:
            continue
        ended += end(connection, [one], at=at, by=by)
        # what is owed already has to go out, too: it is neither small nor unchanged against a person's value
        connection.execute(update(sync).where(mine).values(UNKNOWN))
        connection.execute(update(sync).where(mine, sync.c.state.in_(AT_REST)).values(AGAIN))
    return ended


def _open(connection: Connection, *chosen: ColumnElement[bool]) -> list[Override]:
    table = tables.override
    columns = [table.c[one.name] for one in fields(Override)]
    rows = connection.execute(
        select(*columns)
        .where(table.c.state == OPEN, *chosen)
        .order_by(table.c.expires_at, table.c.target, table.c.lead, table.c.property)
    )
    return [Override(**row._mapping) for row in rows]
