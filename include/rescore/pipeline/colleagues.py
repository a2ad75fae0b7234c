"""Where rules are about accounts, news of a lead is news of its colleagues: they are marked too."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC

import pyarrow as pa
from sqlalchemy import Connection

from rescore.errors import ScorecardInvalid
from rescore.lake.tables import TIME
from rescore.ledger.rules import activations, registry
from rescore.ledger.scores import marks, runs
from rescore.ledger.scores.marked import marks_of
from rescore.rules.scope import about_accounts
from rescore.workspace import Workspace


def colleagues_of(ws: Workspace, leads: Collection[str]) -> dict[str, set[str]]:
    """By scorecard in force with rules about accounts, whose scores depend on what these leads did."""
    with ws.ledger.reading() as connection:
        cards = [
            active.scorecard
            for active in activations.in_force(connection)
            if _asks(connection, active.scorecard, active.version_seq)
        ]
    if not cards:
        return {}
    asked = pa.table({"lead": pa.array(sorted(leads), pa.string())})
    asked = asked.append_column("input_ver", pa.repeat(pa.scalar(0, pa.int64()), asked.num_rows))
    asked = asked.append_column("facts_until", pa.nulls(asked.num_rows, TIME))
    asked = asked.append_column("history", pa.repeat(pa.scalar(False), asked.num_rows))
    found = {*ws.lake.colleagues(asked)["lead"].to_pylist()} - {*leads}
    return dict.fromkeys(cards, found)


def _asks(connection: Connection, scorecard: str, version: int) -> bool:
    try:
        return about_accounts(registry.card(connection, scorecard, version))
    except ScorecardInvalid:
        return False  # it is paused, and scored as a whole when it goes on


def mark_colleagues(ws: Workspace, scorecard: str) -> list[str]:
    """Mark the colleagues of all marked leads as those are marked; every marked lead, sorted.

    The marks are committed before any fact is read: whatever becomes of the run, whoever has a colleague
    with news stays dirty until a promotion covers it. To do it again adds nobody.
    """
    with ws.ledger.reading() as connection:
        marked = marks_of(connection, scorecard)
    rows = ws.lake.colleagues(marked).to_pylist()
    with ws.ledger.transaction() as connection:
        for number, history in sorted({(row["input_ver"], row["history"]) for row in rows}):
            woken = {
                row["lead"]: row["facts_until"] and row["facts_until"].replace(tzinfo=UTC)
                for row in rows
                if (row["input_ver"], row["history"]) == (number, history)
            }
            marks.mark_dirty(connection, scorecard, woken, number, history=history)
        return runs.dirty_leads(connection, scorecard)
