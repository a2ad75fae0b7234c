"""Commands for what people wrote over a score in the CRM."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.cli.operate import open_ledger
from rescore.errors import InputUnreadable
from rescore.ledger.outbox import overrides as ledger_overrides
from rescore.settings import Settings

overrides = typer.Typer(
    help="Scores that people wrote over in the CRM, and that stay for a while.",
    invoke_without_command=True,
    add_completion=False,
)


@overrides.callback()
def listed(context: typer.Context) -> None:
    """List them, the one that ends first first: lead, property, whose, why, until when."""
    if context.invoked_subcommand is not None:
        return
    with open_ledger(Settings.from_environment(os.environ)).reading() as connection:
        found = ledger_overrides.all_open(connection)
    for one in found:
        value = "empty" if one.value is None else one.value
        print(
            f"{one.lead} {one.property}: {value}, {one.owner}, {one.reason}, "
            f"until {one.expires_at:%Y-%m-%d %H:%M} UTC"
        )
    if not found:
        print("no score in the CRM is overridden")


@overrides.command("end")
def end_now(
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="Its key, such as hubspot:1042.")],
    name: Annotated[str, typer.Option("--property", help="Only this property; by default all.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who ends it; by default the user of this machine.")] = "",
) -> None:
    """End a lead's overrides; the next update_crm writes our values again."""
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        ended = ledger_overrides.end_of_lead(
            connection, lead, at=datetime.now(UTC), by=by or user(), name=name or None
        )
    if not ended:
        raise InputUnreadable(
            f"nothing of `{lead}` ended: nobody overrides it (`rescore overrides` lists all), or it is being "
            "written right now and can be ended in a few minutes"
        )
    print(f"{lead}: {ended} ended; the next update_crm writes our values")
