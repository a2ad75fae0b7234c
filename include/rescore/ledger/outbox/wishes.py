"""What each target should show of a chunk's changed leads, and in which order they are written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    update,
)

from rescore.ledger import tables
from rescore.ledger.outbox.records import has_record
from rescore.ledger.scores.chunk import DIFFERS, C, Chunk, S
from rescore.ledger.upsert import insert

BAND_OR_CROSSING, SCORE, DRIFT = PRIORITIES = (1, 2, 3)
"""The order in which targets are written; drift is what they showed once and do not any more."""

ANEW: Mapping[str, Any] = MappingProxyType(
    {"state": "due", "tries": 0, "next_at": None, "failure": None, "reason": None}
)
"""What makes `sync` owe a target something as if for the first time."""


def want(connection: Connection, part: Chunk, targets: Sequence[str], crossed: Collection[str] = ()) -> None:
    """Say what each target should show of the changed leads; what was parked becomes due again.

    Leads of another band than the target shows, and those in `crossed`, go before the others.
    """
    sync = tables.sync
    hurried = and_(sync.c.state == "due", sync.c.priority == BAND_OR_CROSSING)
    for target in targets:
        wishes = insert(connection, sync).from_select(
            ["target", "scorecard", "lead", "want_ver", "acked_ver", "state", "priority", "tries"],
            part.rows(
                literal(target),
                literal(part.run.scorecard),
                S.c.lead,
                func.coalesce(C.c.ver, 0) + 1,
                literal(0),
                literal("due"),
                literal(SCORE),
                literal(0),
            )
            .where(part.wins, DIFFERS, has_record(target, S.c.lead))
            .order_by(S.c.lead),
        )
        first_of = case(
            (hurried, BAND_OR_CROSSING),
            (and_(sync.c.acked_ver > 0, _moves_band(part)), BAND_OR_CROSSING),
            else_=SCORE,
        )
        connection.execute(
            wishes.on_conflict_do_update(
                index_elements=["target", "scorecard", "lead"],
                set_={**ANEW, "want_ver": wishes.excluded.want_ver, "priority": first_of},
            )
        )
    for target in targets if crossed else ():
        connection.execute(
            update(sync)
            .where(
                sync.c.scorecard == part.run.scorecard,
                sync.c.target == target,
                sync.c.lead == bindparam("crossed"),
                sync.c.state == "due",
            )
            .values(priority=BAND_OR_CROSSING),
            [{"crossed": lead} for lead in sorted(crossed)],
        )


def want_withdrawn(connection: Connection, leads: Collection[str]) -> None:
    """Owe those who show a score of these leads that was withdrawn outside a run, before other scores."""
    sync = tables.sync
    newest = (
        select(C.c.ver).where(C.c.scorecard == sync.c.scorecard, C.c.lead == sync.c.lead).scalar_subquery()
    )
    connection.execute(
        update(sync)
        .where(
            sync.c.lead.in_(leads), sync.c.want_ver < newest, sync.c.state.not_in(("deleted", "elsewhere"))
        )
        .values({**ANEW, "want_ver": newest, "priority": BAND_OR_CROSSING})
    )


def _moves_band(part: Chunk) -> ColumnElement[bool]:
    """Whether the band that is staged for a lead of `sync` is another than its target shows."""
    row: ColumnElement[str] = literal_column("sync.lead")  # the row in conflict is no table to correlate with
    staged = select(S.c.band).where(S.c.run_key == part.run.run_key, S.c.lead == row)
    return staged.scalar_subquery().is_distinct_from(tables.sync.c.shown_band)
