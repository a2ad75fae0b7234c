"""Which target shows the score of a person who has records in several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, or_, select, update

from rescore.ledger import tables
from rescore.ledger.outbox.records import has_record
from rescore.ledger.outbox.wishes import SCORE
from rescore.ledger.upsert import insert
from rescore.withheld import OBJECTION

ELSEWHERE = "elsewhere"
"""The state of what a target is not owed, because the person's record in another one shows it."""

RECORD, SYNC, SCORED = tables.record, tables.sync, tables.score


def owe_joined(connection: Connection, target: str, earlier: Mapping[str, Sequence[str]]) -> Counter[str]:
    """Bring what a target is owed in line with where each person is shown.

    Args:
        connection: In a transaction.
        target: The name of the target.
        earlier: By scorecard that it shows, the targets that come before it: where a person has a record in
            one of those, that one shows the score.

    Returns:
        Counts of leads times scorecards that moved: `elsewhere`, or `due` here again or for the first time.
    """
    moved: Counter[str] = Counter()
    if connection.scalar(select(RECORD.c.record).limit(1)) is None:
        return moved
    for scorecard, before in earlier.items():
        mine = and_(SYNC.c.target == target, SYNC.c.scorecard == scorecard, SYNC.c.lease_by.is_(None))
        joined = exists().where(RECORD.c.lead == SYNC.c.lead).correlate(SYNC)
        here = _is_here(target, scorecard, SYNC.c.lead, before)
        aside = update(SYNC).where(mine, joined, SYNC.c.state.not_in((ELSEWHERE, "deleted")), ~here)
        back = update(SYNC).where(mine, SYNC.c.state == ELSEWHERE, here)
        # nobody looks at what is shown there meanwhile
        unknown = {"shown_score": None, "shown_band": None, "shown_hash": None}
        forgotten = unknown | {"failure": None, "reason": None, "tries": 0, "next_at": None}
        moved["elsewhere"] += connection.execute(aside.values(state=ELSEWHERE, **forgotten)).rowcount
        moved["due"] += connection.execute(back.values(state="due", **forgotten)).rowcount
        moved["due"] += _owe_first(connection, target, scorecard, before)
    return +moved


def _owe_first(connection: Connection, target: str, scorecard: str, before: Sequence[str]) -> int:
    """Owe the scores of people whose record here came after their score."""
    there = exists().where(
        SYNC.c.target == target, SYNC.c.scorecard == scorecard, SYNC.c.lead == SCORED.c.lead
    )
    wishes = insert(connection, SYNC).from_select(
        ["target", "scorecard", "lead", "want_ver", "acked_ver", "state", "priority", "tries"],
        select(
            literal(target),
            SCORED.c.scorecard,
            SCORED.c.lead,
            SCORED.c.ver,
            literal(0),
            literal("due"),
            literal(SCORE),
            literal(0),
        )
        .where(
            SCORED.c.scorecard == scorecard,
            SCORED.c.lead.in_(select(RECORD.c.lead).where(RECORD.c.source == target)),
            SCORED.c.ver > 0,
            SCORED.c.withheld.is_(None) | (SCORED.c.withheld == OBJECTION),
            ~there.correlate(SCORED),
            _is_here(target, scorecard, SCORED.c.lead, before),
        )
        .order_by(SCORED.c.lead),
    )
    return connection.execute(
        wishes.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}
    ).rowcount


def _is_here(
    target: str, scorecard: str, lead: ColumnElement[str], before: Sequence[str]
) -> ColumnElement[bool]:
    """Whether this target shows a lead: it has a record, and no earlier one has any that is still there."""
    other = SYNC.alias("other")
    shown_before = []
    for each in before:
        gone = (
            exists()
            .where(
                other.c.target == each,
                other.c.scorecard == scorecard,
                other.c.lead == lead,
                other.c.state == "deleted",
            )
            .correlate_except(other)
        )
        shown_before.append(and_(has_record(each, lead), ~gone))
    here = has_record(target, lead)
    return and_(here, ~or_(*shown_before)) if shown_before else here
