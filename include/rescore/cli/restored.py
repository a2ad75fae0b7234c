"""The command for a ledger that came back from a backup."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.cli.operate import open_ledger
from rescore.errors import CommandMiswritten
from rescore.ledger.outbox import restored as ledger_restored
from rescore.settings import Settings


def restored(
    resume: Annotated[bool, typer.Option("--resume", help="Let everything be sent again.")] = False,
    without_automations: Annotated[
        bool, typer.Option("--without-automations", help="With --resume: cancel the deliveries that are due.")
    ] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Say that it was restored, where nothing has landed since.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who says so; by default the user of this machine.")] = "",
) -> None:
    """Say whether sending is held because the ledger was restored, and what is missing; or go on."""
    if hold and (resume or without_automations):
        raise CommandMiswritten("give --hold or --resume, not both")
    if without_automations and not resume:
        raise CommandMiswritten("--without-automations goes with --resume")
    who, now = by or user(), datetime.now(UTC)
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        if hold:
            ledger_restored.notice(connection, at=now, why=f"{who} said so")
        if resume:
            counts = ledger_restored.resume(
                connection, at=now, by=who, without_automations=without_automations
            )
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items())
            print(f"everything is sent again; deliveries: {told}")
            return
        known = ledger_restored.restored(connection)
        first = ledger_restored.missing(connection)
    if known is None:
        print("no restore was noticed, nothing is held")
        return
    print(f"held since {known.noticed_at:%Y-%m-%d %H:%M} UTC: {known.why}")
    for sentence in first or ["everything is read back and scored; `rescore restored --resume` goes on"]:
        print(f"  {sentence}")
