"""Erase a person, now or on request."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.erased import Person
from rescore.errors import InputUnreadable
from rescore.ledger.people import tombstones
from rescore.pipeline.erase import ask_to_erase, resume
from rescore.settings import Settings
from rescore.workspace import Workspace

Leads = Annotated[
    list[str] | None,
    typer.Argument(metavar="LEAD", help="Keys of one person: hubspot:1042; - reads them from stdin."),
]


def erase(
    leads: Leads = None,
    email: Annotated[list[str] | None, typer.Option(help="An e-mail address of the person.")] = None,
    request: Annotated[
        bool, typer.Option("--request", help="Only register; `erase_lead` in Airflow takes the id.")
    ] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let whoever was erased come back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a person from every store and file, and keep them out; without LEAD, go on with what is waiting.

    Records that were merged with the person's go too. The CRM is not touched. There is no way back.
    """
    keys, addresses = _given(leads or [], email or [])
    ws = Workspace.open(Settings.from_environment(os.environ))
    now = datetime.now(UTC)
    if lift:
        with ws.ledger.transaction() as connection:
            count = tombstones.lift(connection, Person.of(keys, addresses))
        print(f"{count} tombstones lifted; what the CRM says of them from now on lands again")
        return
    if not keys and not addresses:
        _tell(resume(ws, at=now, progress=_progress))
        return
    if not (yes or request):
        known = len(ws.lake.family(keys))
        typer.confirm(f"erase {known} records and {len(addresses)} addresses for good?", abort=True)
    erasure_id = ask_to_erase(ws, keys, addresses=addresses, by=user(), at=now)
    if request:
        print(f"registered; start the DAG erase_lead with request {erasure_id}")
        return
    _tell(resume(ws, at=now, erasure_id=erasure_id, progress=_progress))


def _given(leads: Sequence[str], addresses: Sequence[str]) -> tuple[list[str], list[str]]:
    """Keys and addresses; `-` reads both from stdin, one a line, so that no shell remembers them."""
    if list(leads) != ["-"]:
        return [lead.strip() for lead in leads], list(addresses)
    lines = [line.strip() for line in sys.stdin if line.strip()]
    if not lines:
        raise InputUnreadable("nothing came on stdin; write one key or e-mail address a line")
    keys = [line for line in lines if ":" in line]
    return keys, [*addresses, *(line for line in lines if ":" not in line)]


def _tell(counts: dict[str, int]) -> None:
    for name, count in sorted(counts.items()):
        print(f"{name}: {count:,}")
    if not counts:
        print("nothing is waiting to be erased")


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
