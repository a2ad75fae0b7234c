"""Where rules are about accounts, news of a lead is news of its colleagues: they are marked too."""

from __future__ import annotations

from datetime import UTC

from rescore.ledger.scores import marks, runs
from rescore.workspace import Workspace


def mark_colleagues(ws: Workspace, scorecard: str) -> list[str]:
    """Mark the colleagues of all marked leads as those are marked; every marked lead, sorted.

    The marks are committed before any fact is read: whatever becomes of the run, whoever has a colleague
    with news stays dirty until a promotion covers it. To do it again adds nobody.
    """
    with ws.ledger.reading() as connection:
        marked = marks.marks_of(connection, scorecard)
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
