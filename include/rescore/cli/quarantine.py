"""Commands for the quarantine: what is in it, and who is a person after all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from rescore.cli.again import refuse_options_before
from rescore.cli.files import format_of, write_table
from rescore.cli.operate import Card, unknown
from rescore.ledger.rules import activations
from rescore.pipeline.release import note_release
from rescore.rules.card import Scorecard
from rescore.scoring.held import Held, by_entry, released, single_ones
from rescore.settings import Settings
from rescore.workspace import Workspace

quarantine = typer.Typer(
    help="Activities that count for nothing, because no person did them: list them, release a lead.",
    invoke_without_command=True,
    add_completion=False,
)


@quarantine.callback()
def listed(
    context: typer.Context,
    scorecard: Card = "",
    out: Annotated[
        Path | None, typer.Option(help="Write the single ones, personal data, to this CSV or Parquet file.")
    ] = None,
) -> None:
    """List what each entry keeps out now: how many activities of how many leads, and the newest."""
    if context.invoked_subcommand is not None:
        refuse_options_before(context)
        return
    if out is not None:
        format_of(out)
    now, free, single = datetime.now(UTC), 0, []
    ws = Workspace.open(Settings.from_environment(os.environ))
    for card in _cards(ws, scorecard):
        with ws.lake.facts() as facts:
            found, free = by_entry(card, facts, as_of=now), released(facts)
            if out is not None:
                rows = single_ones(card, facts, as_of=now)
                single.append(
                    rows.add_column(0, "scorecard", pa.array([card.id] * rows.num_rows, pa.string()))
                )
        for line in _lines(card, found):
            print(line)
    if free:
        print(f"{free:,} released by a person: nothing takes what they do")
    if out is not None:
        table = pa.concat_tables(single)
        write_table(table, out)
        print(f"{table.num_rows:,} lines into {out}")


@quarantine.command("release")
def release(
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="A lead's key, such as hubspot:1042.")],
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It is none after all.")] = False,
) -> None:
    """Say that a lead is a person: nothing that it did, or will do, is in quarantine any more."""
    ws = Workspace.open(Settings.from_environment(os.environ))
    counts = note_release(ws, lead.strip(), released=not withdraw, at=datetime.now(UTC))
    for name, count in sorted(counts.items()):
        print(f"{name}: {count:,}")
    print("the next run of score_leads scores it anew")


def _cards(ws: Workspace, scorecard: str) -> list[Scorecard]:
    with ws.ledger.reading() as connection:
        in_force = activations.in_force(connection)
        cards = [
            activations.card_of(connection, active.scorecard, active.activation_seq)
            for active in in_force
            if scorecard in ("", active.scorecard)
        ]
    if not cards:
        raise unknown(scorecard, in_force)
    return cards


def _lines(card: Scorecard, found: Mapping[str, Held]) -> Iterator[str]:
    if not found:
        yield f"{card.id}: no quarantine in its rules"
    for entry in card.quarantine:
        held = found[entry.id]
        told = "nothing"
        if held.newest:
            newest = f"the newest of {held.newest:%Y-%m-%d %H:%M} UTC"
            told = f"{held.activities:,} activities of {held.leads:,} leads, {newest}"
        yield f"{card.id} {entry.id}: {told}  {entry.label}"
