"""Commands that look into a deployment, or hold one of its scorecards still."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from rescore.cli.given import user
from rescore.cli.pictures import status_picture
from rescore.errors import InputUnreadable
from rescore.ledger.migrate import require_current
from rescore.ledger.rules import activations
from rescore.ledger.status import status as read_status
from rescore.ledger.transaction import Ledger
from rescore.rules.on_disk import rules_paths
from rescore.settings import Settings

Card = Annotated[str, typer.Option("--scorecard", help="Only this scorecard.")]


def open_ledger(settings: Settings) -> Ledger:
    """The ledger alone: these commands look at decisions, never at facts."""
    ledger = Ledger(settings.ledger_url)
    require_current(ledger)
    return ledger


def status(
    plain: Annotated[bool, typer.Option("--plain", help="One count a line, no pictures.")] = False,
) -> None:
    """What is in force, how many leads carry which band, and everything that is still owed."""
    settings = Settings.from_environment(os.environ)
    files = rules_paths(settings.rules_dir)
    sources = {path.stem for path in settings.mappings_dir.glob("*.yaml")}
    with open_ledger(settings).reading() as connection:
        now = read_status(connection, datetime.now(UTC), files=files, sources=sources)
    if plain:
        for name, count in now.lines():
            print(f"{name}: {count}")
        for file in now.rejected:
            print(*file.problems, sep="\n")
    else:
        Console().print(status_picture(now))


def pause(scorecard: Annotated[str, typer.Argument(metavar="SCORECARD")]) -> None:
    """Stop scoring a scorecard and writing its scores, until `resume`; facts are still landed."""
    _set_paused(scorecard, paused=True)
    print(f"{scorecard} is paused; facts still land, `rescore resume {scorecard}` catches up")


def resume(scorecard: Annotated[str, typer.Argument(metavar="SCORECARD")]) -> None:
    """Let a paused scorecard go on; its next run scores every lead that changed meanwhile."""
    _set_paused(scorecard, paused=False)
    print(f"{scorecard} goes on with the next run")


def _set_paused(scorecard: str, *, paused: bool) -> None:
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        in_force = activations.in_force(connection)
        if scorecard not in {active.scorecard for active in in_force}:
            raise unknown(scorecard, in_force)
        change = activations.pause if paused else activations.resume
        change(connection, scorecard, at=datetime.now(UTC), by=user())


def unknown(scorecard: str, in_force: Sequence[activations.Active]) -> InputUnreadable:
    """What to say of a scorecard that nobody has."""
    there = ", ".join(active.scorecard for active in in_force)
    if not there:
        return InputUnreadable("no scorecard is in force yet; `score_leads` adopts the rules")
    return InputUnreadable(f"no scorecard `{scorecard}` is in force; there is {there}")
