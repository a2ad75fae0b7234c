"""What becomes of a lead in the ledger when its record is deleted, objected to, restored or merged away.

Of a withheld lead nothing more is sent: its deliveries are cancelled, and a deleted or merged-away record is
never written to again. Where its automations stand is kept for the day it comes back.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, update

from rescore.automations.state_machine import FRESH, Outcome, State
from rescore.causes import Cause
from rescore.ledger import tables
from rescore.ledger.automations.set_off import write_armings
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.scores.chunk import C, Chunk, S
from rescore.ledger.scores.stage import LEADS_A_QUERY
from rescore.ledger.upsert import insert as upsert
from rescore.model import split_lead_key
from rescore.withheld import DELETED, MERGED, OBJECTION

REASONS = {
    DELETED: "the record was deleted",
    OBJECTION: "the person objects to profiling",
    MERGED: "merged into another lead",
}
WITHDRAWN = {MERGED: ("merge", Cause.MERGE), OBJECTION: ("objection", Cause.ATTRIBUTE)}
"""Why a score is withdrawn outside a run -> what its delta has in a run's place, and the cause."""

MERGE = REASONS[MERGED]
SAME_PERSON = "one person with another lead"
HAD_FIRED = "another record of this person had fired"
NOBODY = "a record that became another lead's"
"""Who holds a lease that keeps everybody away until a write must have ended."""


def note_withheld(connection: Connection, chunk: Chunk, at: datetime) -> Counter[str]:
    """Stop what is owed about the chunk's leads that are withheld from now on, take up the restored ones.

    Call it when the chunk's wishes are written and its scores are not.

    Returns:
        Counts: `deleted`, `objecting`, `restored` leads and `cancelled` deliveries.
    """
    rows = connection.execute(
        chunk.rows(S.c.lead, S.c.withheld, C.c.withheld.label("before")).where(
            chunk.wins, S.c.withheld.is_distinct_from(C.c.withheld)
        )
    ).all()
    scorecard, counts = chunk.run.scorecard, Counter[str]()
    for reason, name in ((DELETED, "deleted"), (OBJECTION, "objecting")):
        leads = [row.lead for row in rows if row.withheld == reason]
        counts[name] = len(leads)
        counts["cancelled"] += _cancel(connection, scorecard, leads, REASONS[reason], at)
    gone = [row.lead for row in rows if row.withheld == DELETED]
    _move(connection, scorecard, gone, "deleted", REASONS[DELETED])
    back = [row.lead for row in rows if row.before in (DELETED, MERGED) and row.withheld != DELETED]
    counts["restored"] = len(back)
    _move(connection, scorecard, back, "due", None, only="deleted")
    return +counts


def follow_merges(
    connection: Connection,
    merged: Mapping[str, str],
    *,
    input_ver: int,
    at: datetime,
    why: str = MERGE,
) -> Counter[str]:
    """Let the lead that is left take over where automations stood; end what was about the lead that is lost.

    Where either has fired, the one that is left has. A firing of the lost one of which nothing has been sent
    does not count: it is cancelled, and the lead that is left fires for itself. The lost lead's score
    becomes null as of this landing, so that no run that began before it can bring it back.

    Args:
        connection: In the transaction that commits the landing which says so.
        merged: Each lead that was merged away, and the one that is left; known ones are left alone.
        input_ver: The landing's.
        at: The present.
        why: What is noted with all that ends.

    Returns:
        Counts: leads times scorecards `merged away`, deliveries `cancelled`.
    """
    counts: Counter[str] = Counter()
    lost = sorted(merged)
    for start in range(0, len(lost), LEADS_A_QUERY):
        some = C.c.lead.in_(lost[start : start + LEADS_A_QUERY])
        for row in _held_still(connection, some, C.c.withheld.is_distinct_from(MERGED)):
            _continue(connection, row, merged[row.lead])
            _take_over(connection, row, merged[row.lead], why)
            _withdraw(connection, row, MERGED, input_ver, at)
            counts["merged away"] += 1
            counts["cancelled"] += _cancel(connection, row.scorecard, [row.lead], why, at)
            _move(connection, row.scorecard, [row.lead], "deleted", why)
    return +counts


def follow_partings(connection: Connection, parted: Mapping[str, str]) -> None:
    """Let a record that counted as another lead from its first score on come back as one that is known.

    It goes on silently from where its own values put it, like everybody who comes back: what was told about
    the person was told about its facts, too.
    """
    for record, lead in sorted(parted.items()):
        for row in connection.execute(select(C).where(C.c.lead == lead)).all():
            connection.execute(
                upsert(connection, C)
                .values({**row._mapping, "lead": record, **_nothing(row), "withheld": MERGED})
                .on_conflict_do_nothing()
            )


def forget_shown(connection: Connection, moved: Mapping[str, Collection[str]]) -> None:
    """Nobody knows what a record shows that counts as another lead than before: it showed another's score.

    A write that is under way confirms nothing any more, and none follows before its lease has ended: so the
    last one to arrive is right.

    Args:
        connection: In the transaction that commits the landing which says so.
        moved: Each such record, and every lead that has to do with it.
    """
    leads_of: dict[str, set[str]] = defaultdict(set)
    for record, leads in moved.items():
        leads_of[split_lead_key(record)[0]] |= {*leads}
    sync = tables.sync
    for target, leads in sorted(leads_of.items()):
        ordered = sorted(leads)
        for start in range(0, len(ordered), LEADS_A_QUERY):
            mine = and_(sync.c.target == target, sync.c.lead.in_(ordered[start : start + LEADS_A_QUERY]))
            unknown: dict[str, Any] = {"shown_score": None, "shown_band": None, "shown_hash": None}
            written = select(func.max(sync.c.lease_until)).where(mine, sync.c.lease_by.is_not(None))
            if until := connection.scalar(written):  # under way to a record that is another lead's by now
                unknown |= {"lease_by": NOBODY, "lease_until": until}
            connection.execute(update(sync).where(mine).values(unknown))
            shown = mine & sync.c.state.in_(("settled", "small"))
            connection.execute(update(sync).values(state="due").where(shown))


def follow_objection(
    connection: Connection, leads: Collection[str], *, input_ver: int, at: datetime
) -> Counter[str]:
    """Withdraw the scores of people who object, as of this landing, and cancel what is owed about them.

    No run that began before it can bring a score back. What CRMs show is another matter (`wishes`).

    Args:
        connection: In the transaction that commits the landing which says so.
        leads: Whose.
        input_ver: The landing's.
        at: The present.

    Returns:
        Counts: leads times scorecards `objecting`, deliveries `cancelled`.
    """
    counts: Counter[str] = Counter()
    for row in _held_still(connection, C.c.lead.in_(leads)):
        counts["cancelled"] += _cancel(connection, row.scorecard, [row.lead], REASONS[OBJECTION], at)
        if row.withheld is None:
            _withdraw(connection, row, OBJECTION, input_ver, at)
            counts["objecting"] += 1
    return +counts


def _held_still(connection: Connection, *chosen: ColumnElement[bool]) -> Sequence[Row[Any]]:
    """Committed rows, read when their scorecards are locked: a promotion may have moved them until then."""
    scorecards = select(C.c.scorecard).where(*chosen).distinct().order_by(C.c.scorecard)
    for scorecard in connection.scalars(scorecards).all():
        lock_scorecard(connection, scorecard)
    return connection.execute(select(C).where(*chosen).order_by(C.c.scorecard, C.c.lead)).all()


def _continue(connection: Connection, row: Row[Any], left: str) -> None:
    """A lead that was never scored, such as the contact a lead was converted to, goes on from the lost one.

    Its dimensions stay open, so that its first score counts as a change and CRMs get to see it.
    """
    if row.ver:
        connection.execute(
            upsert(connection, C)
            .values({**row._mapping, "lead": left, "dimensions": _no_dimensions(row)})
            .on_conflict_do_nothing()
        )


def _no_dimensions(row: Row[Any]) -> str:
    return json.dumps(dict.fromkeys(json.loads(row.dimensions)), sort_keys=True, separators=(",", ":"))


def _take_over(connection: Connection, row: Row[Any], left: str, why: str) -> None:
    """Where the lost lead has fired, the lead that is left has fired too."""
    arming = tables.arming
    both = arming.c.lead.in_([row.lead, left])
    found = connection.execute(select(arming).where(arming.c.scorecard == row.scorecard, both)).all()
    of_left = {each.automation: each for each in found if each.lead == left}
    of_lost = [each for each in found if each.lead == row.lead]
    _end_held(connection, row.scorecard, row.lead, None, why)
    for lost in of_lost:
        own = of_left.get(lost.automation)
        if lost.state != State.FIRED or _unsent(connection, lost) or (own and own.state == State.FIRED):
            continue
        n = own.n if own else FRESH.n
        where = {"scorecard": row.scorecard, "automation": lost.automation, "lead": left}
        write_armings(connection, [where | {"state": State.FIRED.value, "n": n, "since": lost.since}])
        _end_held(connection, row.scorecard, left, lost.automation, HAD_FIRED)


def _unsent(connection: Connection, arming: Row[Any]) -> bool:
    """Whether this firing has deliveries, and nobody has begun to send any of them."""
    delivery, attempt = tables.delivery, tables.attempt
    of_firing = and_(
        delivery.c.scorecard == arming.scorecard,
        delivery.c.automation == arming.automation,
        delivery.c.lead == arming.lead,
        delivery.c.n == arming.n,
    )
    begun = or_(delivery.c.state != "due", exists().where(attempt.c.delivery_id == delivery.c.delivery_id))
    owed: bool | None = connection.scalar(select(exists().where(of_firing)))
    touched: bool | None = connection.scalar(select(exists().where(of_firing, begun)))
    return bool(owed) and not touched


def _end_held(connection: Connection, scorecard: str, lead: str, automation: str | None, reason: str) -> None:
    crossing = tables.crossing
    held = and_(crossing.c.scorecard == scorecard, crossing.c.lead == lead, crossing.c.outcome == "held")
    if automation is not None:
        held = and_(held, crossing.c.automation == automation)
    connection.execute(update(crossing).where(held).values(outcome=Outcome.SUPPRESSED.value, reason=reason))


def _withdraw(connection: Connection, row: Row[Any], why: str, input_ver: int, at: datetime) -> None:
    """A lead's score becomes null, with a delta; older runs meet a row that is newer than they are."""
    run_key, cause = WITHDRAWN[why]
    if row.score is not None or row.band is not None:
        connection.execute(
            insert(tables.delta).values(
                scorecard=row.scorecard,
                lead=row.lead,
                ver=row.ver + 1,
                run_key=run_key,
                activation_seq=row.activation_seq,
                as_of=max(at, row.as_of),
                old_score=row.score,
                new_score=None,
                old_band=row.band,
                new_band=None,
                causes=json.dumps({cause: -row.score} if row.score else {}),
            )
        )
    connection.execute(
        update(C)
        .where(C.c.scorecard == row.scorecard, C.c.lead == row.lead)
        .values(**_nothing(row), withheld=why, input_ver=input_ver, ver=row.ver + 1, changed_at=at)
    )


def _nothing(row: Row[Any]) -> dict[str, Any]:
    """The values of a lead without a score."""
    none = dict.fromkeys(("score", "band", "grade"))
    return none | {"dimensions": _no_dimensions(row), "reasons": "[]"}


def _cancel(connection: Connection, scorecard: str, leads: Collection[str], reason: str, at: datetime) -> int:
    delivery, count = tables.delivery, 0
    for some in _batches(leads):
        count += connection.execute(
            update(delivery)
            .where(delivery.c.scorecard == scorecard, delivery.c.lead.in_(some), delivery.c.state == "due")
            .values(state="cancelled", settled_at=at, reason=reason)
        ).rowcount
    return count


def _move(
    connection: Connection,
    scorecard: str,
    leads: Collection[str],
    state: str,
    reason: str | None,
    *,
    only: str | None = None,
) -> None:
    """Bring what targets should show of leads into a state: all, or `only` what is in another one."""
    sync = tables.sync
    for some in _batches(leads):
        chosen = and_(sync.c.scorecard == scorecard, sync.c.lead.in_(some))
        if only is not None:
            chosen = and_(chosen, sync.c.state == only)
        connection.execute(
            update(sync).where(chosen).values(state=state, reason=reason, failure=None, tries=0, next_at=None)
        )


def _batches(leads: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(leads)
    return (ordered[start : start + LEADS_A_QUERY] for start in range(0, len(ordered), LEADS_A_QUERY))
