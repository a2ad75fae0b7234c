"""Keep a person who objects out of profiling, or let them back in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.pipeline.objection import note_objection
from rescore.settings import Settings
from rescore.workspace import Workspace


def object(  # noqa: A001 - the command's name
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="A lead's key, such as hubspot:1042.")],
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The person no longer objects.")] = False,
) -> None:
    """Note that a person objects to profiling: no score, nothing sent, and the CRM's fields emptied."""
    ws = Workspace.open(Settings.from_environment(os.environ))
    counts = note_objection(ws, lead.strip(), objects=not withdraw, at=datetime.now(UTC))
    for name, count in sorted(counts.items()):
        print(f"{name}: {count:,}")
    print("the next run of score_leads carries it to the CRM")
