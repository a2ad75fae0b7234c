"""May a run's staged results become the state of record? For now everything may."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rescore.ledger import activations, promotion, runs
from rescore.pipeline.progress import Progress, silent
from rescore.workspace import Workspace


def promote_or_hold(
    ws: Workspace, run_key: str, *, at: datetime, progress: Progress = silent
) -> Counter[str]:
    """Promote what the run staged, chunk by chunk; an interrupted promotion goes on where it stopped.

    `at` is the time of this promotion; the run notes it as its end.

    Returns:
        Counts: `promoted`, `changed`, `overtaken`, `fired`, ... as `promotion.promote` gives them.
    """
    with ws.ledger.reading() as connection:
        run = runs.find(connection, run_key)
        card = activations.card_of(connection, run.scorecard, run.activation_seq)
    targets = [name for name, mapping in ws.mappings().items() if card.id in mapping.scores]
    counts = promotion.promote(ws.ledger, run, card, targets=targets, at=at, progress=progress)
    ws.lake.drop_results(run_key)
    return counts
