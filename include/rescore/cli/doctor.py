"""Before a CRM is connected: what it offers, and whether everything that its mapping needs works."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from rescore.cli.systems import find_mapping, open_system
from rescore.connectors.checkup import Check, checks
from rescore.connectors.describing import Describable, Listing
from rescore.delivery.destination import account_as_before
from rescore.errors import SettingsIncomplete
from rescore.ledger.transaction import Ledger
from rescore.settings import Settings

Name = Annotated[str, typer.Argument(metavar="SOURCE", help="The name of a mapping, such as `hubspot`.")]
MARKS = {True: "ok", False: "problem", None: "unknown"}


def describe(name: Name) -> None:
    """List what a CRM offers, beside what its mapping uses: fields with types and labels, forms, streams.

    Its Connection is AIRFLOW_CONN_RESCORE_<NAME>, as for `setup`.
    """
    mapping = find_mapping(name, Settings.from_environment(os.environ))
    source = open_system(mapping)
    print(f"{name} is read in these streams: {', '.join(source.streams)}")
    if not isinstance(source, Describable):
        print("more than that it does not tell; its documentation does")
        return
    for listing in source.describe():
        print(*_lines(listing), sep="\n")


def doctor(
    name: Name,
    try_writing: Annotated[
        bool,
        typer.Option("--try-writing", help="Also send an update of a record that does not exist."),
    ] = False,
) -> None:
    """Check a CRM's Connection, rights and fields, and estimate its first load; exit 1 at a problem.

    Nothing is changed, and nothing of what is read is kept or shown; an account that is not the one of before
    is a problem, and kept for `rescore connections accept`.
    """
    settings = Settings.from_environment(os.environ)
    mapping = find_mapping(name, settings)
    fine = True
    try:
        source = open_system(mapping)
    except SettingsIncomplete as error:
        print(_line(Check("the Connection", False, str(error))))
        raise typer.Exit(1) from None
    known = partial(account_as_before, Ledger(settings.ledger_url))
    present = datetime.now(UTC)
    for check in checks(source, mapping, until=present, try_writing=try_writing, account_of=known):
        print(_line(check), flush=True)
        fine &= check.ok is not False
    if not fine:
        raise typer.Exit(1)


def _line(check: Check) -> str:
    return f"{MARKS[check.ok]:8} {check.what}{f': {check.says}' if check.says else ''}"


def _lines(listing: Listing) -> list[str]:
    used = listing.used()
    if listing.offered is None:
        return [f"\n{listing.what}: not listed to us ({listing.note}); used are {', '.join(used) or 'none'}"]
    known = {field.name for field in listing.offered}
    lines = [f"\n{listing.what}: {len(listing.offered)}, of which {len(used.keys() & known)} are used"]
    for field in sorted(listing.offered, key=lambda field: (field.name not in used, field.name)):
        to = ", ".join(use.place for use in used.get(field.name, []))
        shut = ", read only" if field.read_only else ""
        told = f"  {field.name:32} {field.kind + shut:24} {field.label}{f'  <- {to}' if to else ''}"
        lines.append(told.rstrip())
    lines += [f"  {name:32} is not there: {used[name][0].place}" for name in used if name not in known]
    return lines
