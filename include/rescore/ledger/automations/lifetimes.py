"""Which automations a scorecard has, since which activation, and what ends with one that is removed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from rescore.ledger import tables
from rescore.ledger.automations import held
from rescore.ledger.upsert import insert
from rescore.rules.card import Scorecard


def ever(connection: Connection) -> list[tuple[str, str]]:
    """Every automation that there is or was, after its scorecard."""
    table = tables.automation
    rows = connection.execute(
        select(table.c.scorecard, table.c.automation).order_by(table.c.scorecard, table.c.automation)
    )
    return [(row.scorecard, row.automation) for row in rows]


def keep_automations(connection: Connection, card: Scorecard, activation_seq: int, at: datetime) -> None:
    """Note which automations appeared and which went; end what the gone ones hold and still had to send."""
    table = tables.automation
    rows = connection.execute(select(table).where(table.c.scorecard == card.id)).all()
    alive = {row.automation for row in rows if row.removed is None}
    now = {automation.id for automation in card.automations}
    for gone in sorted(alive - now):
        reason = f"automation `{gone}` was removed by activation {activation_seq}"
        held.end_held_of(connection, card.id, gone, at, reason)
        connection.execute(
            update(table)
            .where(table.c.scorecard == card.id, table.c.automation == gone)
            .values(removed=activation_seq)
        )
        connection.execute(
            update(tables.delivery)
            .where(
                tables.delivery.c.scorecard == card.id,
                tables.delivery.c.automation == gone,
                tables.delivery.c.state == "due",
            )
            .values(state="cancelled", settled_at=at, reason=reason)
        )
    for new in sorted(now - alive):
        row = insert(connection, table).values(
            scorecard=card.id, automation=new, born=activation_seq, removed=None
        )
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["scorecard", "automation"], set_={"born": activation_seq, "removed": None}
            )
        )
