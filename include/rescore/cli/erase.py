"""Erase a person, now or on request."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from rescore.cli.given import user
from rescore.erased import Person, is_address, is_key
from rescore.errors import CommandMiswritten, InputUnreadable
from rescore.ledger.people import barred, tombstones
from rescore.pipeline.erase import ask_to_erase, refuse_what_nobody_is, resume
from rescore.pipeline.known import known_addresses, known_leads
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
    lift: Annotated[
        bool, typer.Option("--lift", help="Let whoever was erased come back, or is barred go on.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a person from every store and file, and keep them out; without LEAD, go on with what is waiting.

    Records that were merged with the person's go too. The CRM is not touched. There is no way back.
    """
    if lift and (request or yes):
        raise CommandMiswritten("--lift erases nobody: leave out --request and --yes, or --lift")
    if "-" in (leads or []) and not (yes or request or lift):
        raise CommandMiswritten("- takes stdin, so that nobody can be asked there; add --yes, or --request")
    if (lift or request) and not (leads or email):
        raise CommandMiswritten("say who: a lead's key, or --email")
    keys, addresses = _given(leads or [], email or [])
    ws = Workspace.open(Settings.from_environment(os.environ))
    now = datetime.now(UTC)
    if lift:
        _lift(ws, Person.of(keys, addresses), now)
        return
    if not keys and not addresses:
        _tell(resume(ws, at=now, progress=_progress))
        return
    refuse_what_nobody_is(ws, keys, addresses)
    known = known_leads(ws, keys)
    strangers = _strangers(keys, known, addresses, known or known_addresses(ws, addresses))
    if not (yes or request):
        records, told = len(ws.lake.family(known)), f"{strangers}. " if strangers else ""
        what = f"erase {records} records and {len(addresses)} addresses for good?"
        typer.confirm(told + (what if known or not strangers else "keep them out from now on?"), abort=True)
    erasure_id = ask_to_erase(ws, keys, addresses=addresses, by=user(), at=now)
    if request:
        print(f"registered; start the DAG erase_lead with request {erasure_id}")
    else:
        _tell(resume(ws, at=now, erasure_id=erasure_id, progress=_progress))
    if strangers:
        when = "once that has run" if request else "from now on"
        raise InputUnreadable(f"{strangers}; whoever comes by it is kept out {when}, and --lift ends that")


def _strangers(
    keys: Collection[str], known: Collection[str], addresses: Collection[str], anybody: Collection[str]
) -> str:
    """Says that keys, or all that was given, name nobody; of addresses beside a known key we expect that."""
    if not anybody:
        given = [f"{len(keys)} keys"] * bool(keys) + [f"{len(addresses)} addresses"] * bool(addresses)
        return f"nobody is known here by the {' and '.join(given)} that were given"
    if len(known) < len(keys):
        return f"nobody is known here by {len(keys) - len(known)} of the {len(keys)} keys that were given"
    return ""


def _lift(ws: Workspace, person: Person, now: datetime) -> None:
    with ws.ledger.transaction() as connection:
        count = tombstones.lift(connection, person, at=now)
        living = barred.let_in(connection, person.leads, at=now, by=user())
    asked = len(person.leads) + len(person.addresses)
    if not count and not living:
        raise InputUnreadable("nobody of these was erased or is barred, so there is nothing to lift")
    if count:
        print(
            f"{count} tombstone{'s' * (count != 1)} lifted; what the CRM says of them from now on lands again"
        )
    if living:
        print(f"{living} barred let in; the next extract reads the CRM from the start, for what was dropped")
    if count + living < asked:
        _progress(f"{asked - count - living} of the {asked} that were given had none")


def _given(leads: Sequence[str], addresses: Sequence[str]) -> tuple[list[str], list[str]]:
    """Keys and addresses; `-` reads both from stdin, one a line, so that no shell remembers them."""
    if "-" not in leads:
        return [lead.strip() for lead in leads], list(addresses)
    if len(leads) > 1:
        raise CommandMiswritten("- reads everybody from stdin; give it no other key")
    lines = {number: _line(number, line) for number, line in enumerate(sys.stdin.buffer, start=1)}
    if not any(lines.values()):
        raise InputUnreadable("nothing came on stdin; write one key or e-mail address a line")
    for number, line in lines.items():
        if line and not (is_key(line) if ":" in line else is_address(line)):
            raise InputUnreadable(
                f"line {number} of stdin is neither a lead's key, as in hubspot:1042, "
                "nor an e-mail address alone, as in ada@example.com"
            )
    keys = [line for line in lines.values() if ":" in line]
    return keys, [*addresses, *(line for line in lines.values() if line and ":" not in line)]


def _line(number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        raise InputUnreadable(f"line {number} of stdin is not UTF-8 text; save the file as UTF-8") from None


def _tell(counts: dict[str, int]) -> None:
    for name, count in sorted(counts.items()):
        print(f"{name}: {count:,}")
    if not counts:
        print("nothing is waiting to be erased")


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
