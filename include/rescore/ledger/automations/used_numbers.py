"""Arming numbers that people who were erased have used.

Who was erased is not known here any more, but receivers still know the ids of what they got. So whoever is
let back in begins behind every number that was ever erased, or a new crossing would come under an old id.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select, union_all

from rescore.automations.state_machine import State
from rescore.ledger import installation, tables
from rescore.ledger.automations.lifetimes import ever
from rescore.ledger.automations.set_off import write_armings

HIGHEST = "highest_erased_arming"


def keep_used(connection: Connection, leads: Collection[str]) -> None:
    """Keep the highest arming number of these leads, if none that was erased before is as high."""
    numbered = (tables.arming, tables.crossing, tables.delivery)
    used = union_all(*(select(table.c.n).where(table.c.lead.in_(leads)) for table in numbered)).subquery()
    highest = connection.scalar(select(func.max(used.c.n))) or 0
    if highest > (installation.read(connection, HIGHEST) or 0):
        installation.write(connection, HIGHEST, highest)


def begin_behind_used(connection: Connection, leads: Collection[str], at: datetime) -> None:
    """Let these leads, of whom nothing is here, begin with a number that nobody who was erased has used."""
    highest = installation.read(connection, HIGHEST)
    if highest is None:
        return
    fresh = {"state": State.ARMED.value, "n": highest + 1, "since": at}
    write_armings(
        connection,
        [
            {"scorecard": scorecard, "automation": automation, "lead": lead, **fresh}
            for lead in sorted(leads)
            for scorecard, automation in ever(connection)
        ],
    )
