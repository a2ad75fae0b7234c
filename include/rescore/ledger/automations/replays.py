"""Crossings that were suppressed, and that a person wants to fire after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update

from rescore.automations.state_machine import Machine, Outcome
from rescore.ledger import tables
from rescore.ledger.automations.late_firings import AT_ITS_SCORE, OF_LATE, LateFirings, values_now
from rescore.ledger.lock import lock_scorecard
from rescore.messages import NO_URLS
from rescore.rules.card import Scorecard

CROSSING, ARMING, SCORE = tables.crossing, tables.arming, tables.score


def replay_suppressed(
    connection: Connection,
    card: Scorecard,
    automation: str,
    *,
    since: datetime,
    until: datetime,
    at: datetime,
    by: str,
    lead_urls: Mapping[str, str] = NO_URLS,
    dry_run: bool = False,
) -> Counter[str]:
    """Let the suppressed crossings of a span of time fire that are still true and still the lead's last.

    Bodies are frozen now, as at the release of a hold. A crossing that has fired is no longer suppressed, so
    that doing it again changes nothing.

    Returns:
        Counts: `fired`, `no longer true`, and `overtaken` where the automation was armed again since.
    """
    lock_scorecard(connection, card.id)
    machine = next(
        Machine(each, card.bands, card.timezone) for each in card.automations if each.id == automation
    )
    counts, late = Counter[str](), LateFirings(connection, card, at, lead_urls)
    for row in connection.execute(_suppressed(card.id, automation, since, until)).all():
        new = values_now(row)
        if row.armed_n != row.n:
            counts["overtaken"] += 1
        elif new is None or not machine.fires(new):
            counts["no longer true"] += 1
        else:
            counts["fired"] += 1
            if dry_run:
                continue
            late.add(machine.automation, row, new)
            connection.execute(
                update(CROSSING)
                .where(*_this(card.id, automation), CROSSING.c.lead == row.lead, CROSSING.c.n == row.n)
                .values(outcome=Outcome.FIRED.value, reason=f"replayed by {by}; was: {row.reason}")
            )
    late.write()
    return +counts


def _this(scorecard: str, automation: str) -> tuple[Any, Any]:
    return CROSSING.c.scorecard == scorecard, CROSSING.c.automation == automation


def _suppressed(scorecard: str, automation: str, since: datetime, until: datetime) -> Any:
    return (
        select(*OF_LATE, CROSSING.c.reason, ARMING.c.n.label("armed_n"))
        .join(SCORE, AT_ITS_SCORE)
        .join(
            ARMING,
            and_(
                ARMING.c.scorecard == CROSSING.c.scorecard,
                ARMING.c.automation == CROSSING.c.automation,
                ARMING.c.lead == CROSSING.c.lead,
            ),
        )
        .where(
            *_this(scorecard, automation),
            CROSSING.c.outcome == Outcome.SUPPRESSED.value,
            CROSSING.c.as_of >= since,
            CROSSING.c.as_of < until,
        )
        .order_by(CROSSING.c.lead)
    )
