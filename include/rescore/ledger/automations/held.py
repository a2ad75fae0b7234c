"""Crossings that wait for a person: released, refused, or gone with their automation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from rescore.automations.state_machine import Machine, Outcome, State
from rescore.ledger import tables
from rescore.ledger.automations.accounts import accounts
from rescore.ledger.automations.late_firings import AT_ITS_SCORE, OF_LATE, LateFirings, values_now
from rescore.ledger.lock import lock_scorecard
from rescore.messages import NO_URLS
from rescore.rules.card import Scorecard

CROSSING, ARMING, SCORE = tables.crossing, tables.arming, tables.score


def release_held(
    connection: Connection,
    hold_id: str,
    card: Scorecard,
    at: datetime,
    lead_urls: Mapping[str, str] = NO_URLS,
) -> Counter[str]:
    """Let a hold's crossings fire that are still true of the committed scores, and suppress the others.

    Bodies are frozen now: from the score that is committed now and the one that was before the crossing.

    Args:
        connection: In a transaction.
        hold_id: Whose crossings; those that have ended meanwhile are left alone.
        card: The rules in force.
        at: The time of the decision.
        lead_urls: Where messages say that a lead can be seen, by CRM.

    Returns:
        How many are `fired`, and `suppressed` because they are no longer true or older than `max_age`.
    """
    lock_scorecard(connection, card.id)
    machines = {each.id: Machine(each, card.bands, card.timezone) for each in card.automations}
    settled: list[dict[str, Any]] = []
    late = LateFirings(connection, card, at, lead_urls)
    crossed = connection.execute(_of_hold(hold_id)).all()
    known = accounts(connection, card, [row.once_key for row in crossed if row.once_key is not None])
    for row in crossed:
        machine = machines[row.automation]  # a removed automation's crossings ended with it
        keys = {} if row.once_key is None else {row.automation: row.once_key}
        new = values_now(row)
        reason = machine.released(new, row.crossed_at, at) or machine.taken(known.last_fired(keys), at)
        settled.append(
            {"at_lead": row.lead, "at_automation": row.automation, "at_n": row.n, "reason": reason}
        )
        if new is None or reason is not None:
            continue
        known.note(keys, row.automation, row.crossed_at)
        late.add(machine.automation, row, new)
    fired = [row for row in settled if row["reason"] is None]
    suppressed = [row for row in settled if row["reason"] is not None]
    for outcome, rows in ((Outcome.FIRED, fired), (Outcome.SUPPRESSED, suppressed)):
        if rows:
            connection.execute(_settle(card.id, outcome), rows)
    _leave_as_fired(connection, CROSSING.c.hold_id == hold_id, card.id, at)
    late.write()
    return Counter(fired=len(fired), suppressed=len(suppressed))


def refuse_held(connection: Connection, hold_id: str, at: datetime, reason: str) -> int:
    """Suppress a hold's crossings, for a reason; how many."""
    of_hold = CROSSING.c.hold_id == hold_id
    scorecard = connection.scalar(select(CROSSING.c.scorecard).where(of_hold).limit(1))
    return 0 if scorecard is None else _end(connection, of_hold, scorecard, at, reason)


def end_held_of(connection: Connection, scorecard: str, automation: str, at: datetime, reason: str) -> int:
    """Suppress whatever is held of an automation that goes; how many."""
    return _end(connection, CROSSING.c.automation == automation, scorecard, at, reason)


def _end(
    connection: Connection, which: ColumnElement[bool], scorecard: str, at: datetime, reason: str
) -> int:
    lock_scorecard(connection, scorecard)
    _leave_as_fired(connection, which, scorecard, at)
    return connection.execute(
        update(CROSSING)
        .where(which, CROSSING.c.scorecard == scorecard, CROSSING.c.outcome == Outcome.HELD)
        .values(outcome=Outcome.SUPPRESSED.value, reason=reason)
    ).rowcount


def _of_hold(hold_id: str) -> Any:
    return (
        select(*OF_LATE, CROSSING.c.automation, CROSSING.c.as_of.label("crossed_at"), CROSSING.c.once_key)
        .join(SCORE, AT_ITS_SCORE)
        .where(CROSSING.c.hold_id == hold_id, CROSSING.c.outcome == Outcome.HELD)
        .order_by(CROSSING.c.lead, CROSSING.c.automation)
    )


def _settle(scorecard: str, outcome: Outcome) -> Any:
    return (
        update(CROSSING)
        .where(
            CROSSING.c.scorecard == scorecard,
            CROSSING.c.automation == bindparam("at_automation"),
            CROSSING.c.lead == bindparam("at_lead"),
            CROSSING.c.n == bindparam("at_n"),
        )
        .values(outcome=outcome.value, reason=bindparam("reason"))
    )


def _leave_as_fired(connection: Connection, which: ColumnElement[bool], scorecard: str, at: datetime) -> None:
    """What was held is fired from now on, whatever became of the crossing."""
    held = (
        select(CROSSING.c.n)
        .where(
            which,
            CROSSING.c.scorecard == ARMING.c.scorecard,
            CROSSING.c.automation == ARMING.c.automation,
            CROSSING.c.lead == ARMING.c.lead,
            CROSSING.c.n == ARMING.c.n,
        )
        .exists()
    )
    connection.execute(
        update(ARMING)
        .where(ARMING.c.scorecard == scorecard, ARMING.c.state == State.HELD.value, held)
        .values(state=State.FIRED.value, since=at)
    )
