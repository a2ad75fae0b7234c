"""Commands that look into a deployment, or hold one of its scorecards still."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from rescore.cli.pictures import status_picture
from rescore.errors import InputUnreadable
from rescore.ledger import activations, stage
from rescore.ledger.status import status as read_status
from rescore.scoring.explain import explain as explain_lead
from rescore.settings import Settings
from rescore.workspace import Workspace

Card = Annotated[str, typer.Option("--scorecard", help="Only this scorecard.")]


def open_workspace() -> Workspace:
    """The deployment that the environment points to."""
    return Workspace.open(Settings.from_environment(os.environ))


def explain(
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="A lead's key, such as hubspot:1042.")],
    scorecard: Card = "",
) -> None:
    """Account for a lead's committed score, rule by rule, by computing it again."""
    ws = open_workspace()
    key = lead.strip()
    with ws.ledger.reading() as connection:
        in_force = activations.in_force(connection)
        cards = [active for active in in_force if scorecard in ("", active.scorecard)]
        if scorecard and not cards:
            raise _unknown(scorecard, in_force)
        rows = {active.scorecard: stage.committed_row(connection, active.scorecard, key) for active in cards}
        rules = {
            active.scorecard: activations.card_of(connection, active.scorecard, active.activation_seq)
            for active in cards
        }
    if not any(rows.values()):
        raise InputUnreadable(
            f"no score is kept for lead {key[:80]!r}; a key is the CRM's name in small letters, a colon and "
            "its record id, as in hubspot:1042"
        )
    with ws.lake.facts([key]) as facts:
        for active in cards:
            row = rows[active.scorecard]
            if row is None:
                continue
            print(explain_lead(rules[active.scorecard], facts, key, as_of=row.as_of).text())


def status(
    plain: Annotated[bool, typer.Option("--plain", help="One count a line, no pictures.")] = False,
) -> None:
    """What is in force, how many leads carry which band, and everything that is still owed."""
    ws = open_workspace()
    with ws.ledger.reading() as connection:
        now = read_status(
            connection, datetime.now(UTC), files={file.name for file in ws.rules_dir.glob("*.yaml")}
        )
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
    ws = open_workspace()
    with ws.ledger.transaction() as connection:
        in_force = activations.in_force(connection)
        if scorecard not in {active.scorecard for active in in_force}:
            raise _unknown(scorecard, in_force)
        change = activations.pause if paused else activations.resume
        change(connection, scorecard, at=datetime.now(UTC), by=getpass.getuser())


def _unknown(scorecard: str, in_force: Sequence[activations.Active]) -> InputUnreadable:
    there = ", ".join(active.scorecard for active in in_force) or "none yet"
    return InputUnreadable(f"no scorecard `{scorecard}` is in force; there is {there}")
