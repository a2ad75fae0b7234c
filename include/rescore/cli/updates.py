"""Commands for scores that a CRM did not take: look at them, let them be written again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.cli.operate import open_ledger
from rescore.errors import InputUnreadable
from rescore.ledger.outbox import updates as ledger_updates
from rescore.ledger.outbox.updates import Chosen
from rescore.settings import Settings


class State(StrEnum):
    """What became of a score so far."""

    DUE = "due"
    PARKED = "parked"
    DELETED = "deleted"


States = Annotated[list[State] | None, typer.Option("--state", help="Only those in this state.")]
Card = Annotated[str, typer.Option("--scorecard", help="Only of this scorecard.")]
To = Annotated[str, typer.Option("--target", help="Only to this CRM.")]

updates = typer.Typer(
    help="Scores that a CRM did not take: list them, write them again.",
    invoke_without_command=True,
    add_completion=False,
)


@updates.callback()
def listed(
    context: typer.Context,
    state: States = None,
    scorecard: Card = "",
    target: To = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, in lead order.")] = 50,
) -> None:
    """List those that failed: lead, state, and why."""
    if context.invoked_subcommand is not None:
        return
    chosen = _chosen(None, state, scorecard, target)
    with open_ledger(Settings.from_environment(os.environ)).reading() as connection:
        rows = ledger_updates.in_trouble(connection, chosen, limit=limit)
    for row in rows:
        later = row.state == "due" and row.next_at is not None and row.next_at > datetime.now(UTC)
        until = f", tried again {row.next_at:%Y-%m-%d %H:%M} UTC" if later else ""
        print(f"{row.lead}  {row.state}  {row.scorecard} in {row.target}, {row.tries} tries{until}")
        print(f"  {row.reason}")
    if not rows:
        print("there is no such update")


@updates.command("retry")
def retry(
    leads: Annotated[
        list[str] | None, typer.Argument(metavar="LEAD...", help="Keys, such as hubspot:1042.")
    ] = None,
    state: States = None,
    scorecard: Card = "",
    target: To = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who decides; by default the user of this machine.")] = "",
) -> None:
    """Let the next update_crm write them, because what was wrong is mended."""
    if not (leads or state or scorecard or target):
        raise InputUnreadable("name leads by their keys, or choose them: --state parked, --target ...")
    chosen = _chosen(leads, state, scorecard, target)
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        counts = ledger_updates.retry(connection, chosen, by=by or user(), dry_run=dry_run)
    said = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "nothing to do"
    print(f"would be: {said}" if dry_run else said)


def _chosen(leads: list[str] | None, state: list[State] | None, scorecard: str, target: str) -> Chosen:
    return Chosen(
        leads=leads or None, states=state or None, scorecard=scorecard or None, target=target or None
    )
