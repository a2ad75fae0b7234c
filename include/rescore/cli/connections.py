"""Commands for the CRMs and receivers that are left alone, and for the calls that are counted."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.cli.operate import open_ledger
from rescore.errors import InputUnreadable
from rescore.ledger.outbox import breakers, budgets, destinations
from rescore.ledger.outbox.breakers import Breaker
from rescore.ledger.outbox.budgets import Budget
from rescore.settings import Settings

connections = typer.Typer(
    help="CRMs and receivers: who is left alone, and how many calls were made.",
    invoke_without_command=True,
    add_completion=False,
)


@connections.callback()
def listed(context: typer.Context) -> None:
    """List where each leads, those with failures behind them, and the calls of their latest windows."""
    if context.invoked_subcommand is not None:
        return
    now = datetime.now(UTC)
    with open_ledger(Settings.from_environment(os.environ)).reading() as connection:
        failing = breakers.all_of_them(connection)
        counted = budgets.all_of_them(connection)
        accounts = destinations.all_of_them(connection)
    for name, account in accounts.items():
        print(f"{name}: {account}")
    for breaker in failing:
        print(_breaker(breaker, now))
    for budget in counted:
        print(_budget(budget))
    if not failing and not counted and not accounts:
        print("nobody has been called yet, or failed")


@connections.command()
def close(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A Connection's id, or the name of a CRM.")],
    by: Annotated[str, typer.Option("--by", help="Who closes it; by default the user of this machine.")] = "",
) -> None:
    """Let a CRM or receiver be called again at once, because what was wrong is mended."""
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        if not breakers.close(connection, name, by or user()):
            raise InputUnreadable(f"`{name}` is not left alone; `rescore connections` lists who is")
    print(f"{name} is called again by the next run")


@connections.command()
def accept(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of a CRM, as in its mapping.")],
) -> None:
    """Let a CRM's Connection lead to another account from now on: the one that was refused last."""
    with open_ledger(Settings.from_environment(os.environ)).transaction() as connection:
        before, now = destinations.accept(connection, name)
    print(f"{name} is {now} from now on; it was {before}")


def _breaker(breaker: Breaker, now: datetime) -> str:
    if breaker.open_until is not None and breaker.open_until > now:
        return breaker.told()
    return f"{breaker.connection}: {breaker.failures} failures in a row, {breaker.reason}"


def _budget(budget: Budget) -> str:
    what = "calls of the day" if budget.allowance == "day" else budget.allowance
    since = f"{budget.connection}: {budget.used:,} {what} since {budget.began_at:%Y-%m-%d %H:%M:%S} UTC"
    if budget.seen_used is None or budget.ceiling is None:
        return since
    return f"{since}, {budget.seen_used:,} of {budget.ceiling:,} by everybody"
