"""Do the stored scores hold?"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.pipeline.verify import verify_scores
from rescore.settings import Settings
from rescore.workspace import Workspace


def verify(
    sample: Annotated[int, typer.Option(min=1, help="So many leads of each scorecard.")] = 1000,
    seed: Annotated[int, typer.Option(help="Which sample; today's date when not given.")] = 0,
) -> None:
    """Compute a sample of stored scores again from what they were made of; exit 1 when one differs."""
    ws = Workspace.open(Settings.from_environment(os.environ))
    now = datetime.now(UTC)
    found = verify_scores(ws, sample=sample, at=now, seed=seed or now.date().toordinal())
    for name, count in found.counts().items():
        print(f"{name}: {count:,}")
    if not found.counts():
        print("no scores are stored yet, so there is nothing to compute again")
    if not found.holds:
        print(f"what differs is in {found.file}")
        raise typer.Exit(1)
