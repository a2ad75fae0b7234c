"""Commands for scores that a CRM did not take: look at them, let them be written again."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy import Connection

from rescore.cli.again import refuse_options_before, tell
from rescore.cli.given import LARGEST, user
from rescore.cli.operate import open_ledger
from rescore.errors import CommandMiswritten, InputUnreadable
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
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=LARGEST, help="At most so many, in lead order.")
    ] = 50,
) -> None:
    """List those that failed: lead, state, and why."""
    if context.invoked_subcommand is not None:
        refuse_options_before(context)
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
        print("no update has failed" if chosen == Chosen() else "there is no such update")


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
        raise CommandMiswritten("name leads by their keys, or choose them: --state parked, --target ...")
    chosen = _chosen(leads, state, scorecard, target)
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        stay = _staying(connection, leads or [], chosen)
        counts = ledger_updates.retry(connection, chosen, by=by or user(), dry_run=dry_run)
    tell(counts, dry_run=dry_run)
    if stay:
        raise InputUnreadable("\n".join(stay))


def _staying(connection: Connection, leads: Collection[str], chosen: Chosen) -> list[str]:
    """A sentence for each lead that was named and of which nothing can be written again.

    Raises:
        InputUnreadable: Some have no score that a CRM shows, so that nothing is done.
    """
    names = list(dict.fromkeys(leads))
    known = ledger_updates.standing(connection, Chosen(leads=names))
    if missing := [lead for lead in names if lead not in known]:
        raise InputUnreadable(f"no score of {', '.join(missing)} goes to a CRM; a key is like hubspot:1042")
    found = ledger_updates.standing(connection, chosen)
    sentences = {
        lead: ", ".join(sorted(found[lead])) if lead in found else "the other options choose nothing of it"
        for lead in names
        if found.get(lead, set()).isdisjoint(ledger_updates.AGAIN)
    }
    return [f"{lead}: {how}; nothing is written again" for lead, how in sentences.items()]


def _chosen(leads: list[str] | None, state: list[State] | None, scorecard: str, target: str) -> Chosen:
    return Chosen(
        leads=leads or None, states=state or None, scorecard=scorecard or None, target=target or None
    )
