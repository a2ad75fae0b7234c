"""Which leads did a planned rescore leave to the next run, because newer facts of theirs had been scored?"""

from __future__ import annotations

from rescore.ledger.scores import chunk
from rescore.ledger.scores.runs import Run
from rescore.workspace import Workspace

FILE = "overtaken.txt"


def list_overtaken(ws: Workspace, run: Run) -> int:
    """Write their keys, one a line, beside the plan's report; how many.

    They are lead data: fit for no log, and readable by their owner only.
    """
    assert run.plan_hash is not None  # noqa: S101 - the caller has a planned run
    with ws.ledger.reading() as connection:
        leads = chunk.overtaken_leads(connection, run)
    file = ws.reports_dir / run.plan_hash / FILE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f"{lead}\n" for lead in leads), encoding="utf-8")
    return len(leads)
