"""Which accounts have set an automation off, and when last?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select

from rescore.automations.once_per import Accounts
from rescore.ledger import tables
from rescore.rules.card import Scorecard

AT_ONCE = 5_000

Fired = dict[tuple[str, str], datetime]
"""By automation and key, the last crossing that fired."""


def accounts(connection: Connection, card: Scorecard, keys: Collection[str]) -> Accounts:
    """What is committed of some keys, for the automations of a card with a `once_per`."""
    wanted, fired = sorted(set(keys)), Fired()
    for start in range(0, len(wanted), AT_ONCE):
        fired |= _last_fired(connection, card, wanted[start : start + AT_ONCE])
    return Accounts(fired)


def all_accounts(connection: Connection, card: Scorecard) -> Fired:
    """What is committed of every key."""
    return _last_fired(connection, card)


def _last_fired(connection: Connection, card: Scorecard, keys: Collection[str] | None = None) -> Fired:
    once = [automation.id for automation in card.automations if automation.once_per is not None]
    if not once:
        return {}
    crossing = tables.crossing
    known = crossing.c.once_key.is_not(None) if keys is None else crossing.c.once_key.in_(keys)
    rows = connection.execute(
        select(crossing.c.automation, crossing.c.once_key, func.max(crossing.c.as_of).label("at"))
        .where(
            crossing.c.scorecard == card.id,
            crossing.c.automation.in_(once),
            crossing.c.outcome == "fired",
            known,
        )
        .group_by(crossing.c.automation, crossing.c.once_key)
    )
    return {(row.automation, row.once_key): row.at for row in rows}
