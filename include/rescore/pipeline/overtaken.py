"""Which leads did a planned rescore leave to the next run, because newer facts of theirs had been scored?"""

from __future__ import annotations

from rescore.ledger import chunk
from rescore.ledger.runs import Run
from rescore.workspace import Workspace

FILE = "overtaken.txt"


def list_overtaken(ws: Workspace, run: Run) -> int:
    """Write their keys, one a line, beside the plan's report: lead data, fit for no log; how many."""
    assert run.plan_hash is not None  # noqa: S101 - the caller has a planned run
    with ws.ledger.reading() as connection:
        leads = chunk.overtaken_leads(connection, run)
    folder = ws.reports_dir / run.plan_hash
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text("".join(f"{lead}\n" for lead in leads), encoding="utf-8")
    return len(leads)
