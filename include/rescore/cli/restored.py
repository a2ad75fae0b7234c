"""The command for a store that came back from a backup, or was lost."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.errors import CommandMiswritten, LakeBehind
from rescore.ledger.outbox import restored as ledger_restored
from rescore.pipeline import restore as pipeline_restore
from rescore.settings import Settings
from rescore.whole_lake import lake_behind
from rescore.workspace import Workspace


def restored(
    resume: Annotated[bool, typer.Option("--resume", help="Let everything be sent again.")] = False,
    without_automations: Annotated[
        bool, typer.Option("--without-automations", help="With --resume: cancel the deliveries that are due.")
    ] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Say that it was restored, where nothing has landed since.")
    ] = False,
    read_again: Annotated[
        bool, typer.Option("--read-again", help="What the lake lost is gone: read every source anew.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who says so; by default the user of this machine.")] = "",
) -> None:
    """Say whether sending is held because a store was restored or lost, and what is missing; or go on."""
    if resume + hold + read_again > 1 or (hold and without_automations):
        raise CommandMiswritten("give one of --hold, --read-again and --resume")
    if without_automations and not resume:
        raise CommandMiswritten("--without-automations goes with --resume")
    who, now = by or user(), datetime.now(UTC)
    ws = Workspace.open(Settings.from_environment(os.environ))
    if read_again:
        pipeline_restore.read_again(ws, at=now, by=who)
    lost = lake_behind(ws)
    if resume and lost:
        raise LakeBehind(f"{lost}; put the right lake back, or say `rescore restored --read-again`")
    with ws.ledger.transaction() as connection:
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
    if lost:
        print(f"nothing is read, scored or sent: {lost}")
        print("  put the right lake back; or, if it is lost, `rescore restored --read-again`")
    elif known is None:
        print("no restore was noticed, nothing is held")
    else:
        print(f"held since {known.noticed_at:%Y-%m-%d %H:%M} UTC: {known.why}")
        for sentence in first or ["everything is read back and scored; `rescore restored --resume` goes on"]:
            print(f"  {sentence}")
