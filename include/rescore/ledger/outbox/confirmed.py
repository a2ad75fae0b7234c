"""What targets have confirmed: which leads to read back, what each should show, and what was found."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from rescore.ledger import tables
from rescore.ledger.outbox import overrides
from rescore.ledger.outbox.overrides import AT_REST, OVERRIDDEN, SETTLED, SMALL, Override
from rescore.ledger.outbox.records import has_record
from rescore.withheld import OBJECTION

DELETED = "deleted"
CONFIRMED = (*AT_REST, DELETED)
"""States in which a target owes us nothing: what it shows can be held against what it confirmed."""

AS_JSON = ("dimensions", "reasons")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one target confirmed of one lead under one scorecard.

    The score of record (`score` and the four below it) is what was confirmed only when `current`; a change
    that is too small to be written leaves `shown_score` and `shown_band`. `objects` when the person objects
    to profiling.
    """

    target: str
    scorecard: str
    lead: str
    state: str
    acked_ver: int
    acked_at: datetime | None
    shown_score: int | None
    shown_band: str | None
    current: bool
    objects: bool
    score: int | None
    band: str | None
    grade: str | None
    dimensions: dict[str, int | None] = field(repr=False)
    reasons: list[dict[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What reading back changes about one `Confirmed`.

    `drift` when values of ours have to be written again; `shown_score` and `shown_band` are what the target
    shows. `opened` are overrides, `ended` those that ended and what was done to their values; `gone` when it
    has no such record.
    """

    confirmed: Confirmed
    drift: bool = False
    gone: bool = False
    shown_score: int | None = None
    shown_band: str | None = None
    opened: Sequence[Override] = ()
    ended: Sequence[tuple[Override, str]] = ()


def leads(connection: Connection, target: str) -> Iterator[tuple[str, datetime | None]]:
    """Every lead that a target confirmed and nothing is owed of, with when; once for each scorecard."""
    sync = tables.sync
    rows = connection.execution_options(yield_per=10_000).execute(
        select(sync.c.lead, sync.c.acked_at).where(
            sync.c.target == target, sync.c.state.in_(CONFIRMED), sync.c.acked_ver > 0
        )
    )
    for row in rows:
        yield row.lead, row.acked_at


def missed(connection: Connection, target: str, *, most: int) -> list[str]:
    """Leads whose record the target did not find, and of which nobody has told us that it is gone."""
    sync, score = tables.sync, tables.score
    rows = connection.scalars(
        select(sync.c.lead)
        .join(score, (score.c.scorecard == sync.c.scorecard) & (score.c.lead == sync.c.lead))
        .where(
            sync.c.target == target,
            sync.c.state == DELETED,
            sync.c.failure == "gone",
            has_record(target, sync.c.lead),
            score.c.withheld.is_(None),
        )
        .distinct()
        .order_by(sync.c.lead)
        .limit(most)
    )
    return list(rows)


def confirmed(connection: Connection, target: str, chosen: Collection[str]) -> list[Confirmed]:
    """What a target confirmed of these leads, as far as nothing is owed and nobody is sending."""
    sync, score = tables.sync, tables.score
    rows = connection.execute(
        select(
            *(sync.c[name] for name in ("target", "scorecard", "lead", "state", "acked_ver", "acked_at")),
            sync.c.shown_score,
            sync.c.shown_band,
            (sync.c.acked_ver == score.c.ver).label("current"),
            func.coalesce(score.c.withheld == OBJECTION, False).label("objects"),
            *(score.c[name] for name in ("score", "band", "grade", "dimensions", "reasons")),
        )
        .join(score, (score.c.scorecard == sync.c.scorecard) & (score.c.lead == sync.c.lead))
        .where(
            sync.c.target == target,
            sync.c.lead.in_(chosen),
            sync.c.state.in_(CONFIRMED),
            sync.c.acked_ver > 0,
            sync.c.lease_by.is_(None),
        )
        .order_by(sync.c.lead, sync.c.scorecard)
    )
    return [
        Confirmed(**(dict(row._mapping) | {name: json.loads(row._mapping[name]) for name in AS_JSON}))
        for row in rows
    ]


def settle(connection: Connection, found: Sequence[Found], *, at: datetime) -> int:
    """Note what reading back found; how many had moved on meanwhile, and are left alone."""
    moved_on = 0
    for one in found:
        values = _values(connection, one)
        if values and not connection.execute(update(tables.sync).where(_same(one)).values(values)).rowcount:
            moved_on += 1
            continue
        for kept, done in one.ended:
            overrides.end(connection, [kept], at=at, by=f"{done} in the CRM")
        overrides.note(connection, one.opened)
    return moved_on


def _same(one: Found) -> Any:
    """The row as it was read: no call was made about it since then, and none is under way."""
    sync, known = tables.sync, one.confirmed
    return (
        (sync.c.scorecard == known.scorecard)
        & (sync.c.lead == known.lead)
        & (sync.c.target == known.target)
        & (sync.c.state == known.state)
        & (sync.c.acked_ver == known.acked_ver)
        & sync.c.acked_at.is_not_distinct_from(known.acked_at)
        & sync.c.lease_by.is_(None)
    )


def _values(connection: Connection, one: Found) -> dict[str, Any]:
    known = one.confirmed
    if one.gone:
        return {"state": DELETED, "failure": "gone", "reason": f"{known.target} has no such record any more"}
    if one.drift:
        return {**overrides.AGAIN, "shown_score": one.shown_score, "shown_band": one.shown_band}
    if known.state == SMALL and (one.opened or one.ended):
        return {"state": SMALL}  # our own change still waits, whoever overrides what
    if one.opened:
        return {"state": OVERRIDDEN}
    if one.ended:
        mine = overrides.open_of(connection, known.target, [known.lead]).get(known.lead, {})
        stay = {name for name, kept in mine.items() if kept.scorecard == known.scorecard}
        left = stay - {kept.property for kept, _ in one.ended}
        return {"state": OVERRIDDEN if left else SETTLED}
    return {}
