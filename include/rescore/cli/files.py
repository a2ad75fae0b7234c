"""Commands that work on files alone: no server, no ledger, no lake."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer
from rich.console import Console

from rescore.cells import BEGINS_A_FORMULA, harmless
from rescore.cli.given import read_bytes, refuse_overwriting
from rescore.errors import InputUnreadable
from rescore.rules.card import Scorecard
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard
from rescore.rules.moments import end_of, is_moment
from rescore.scoring.engine import score as score_facts
from rescore.scoring.facts import facts_from_files
from rescore.scoring.unreadable import absent_fields, unreadable


def score(
    rules: Annotated[Path, typer.Option(help="The rules file.", readable=False)],
    leads: Annotated[Path, typer.Option(help="lead_id and attributes; Parquet or CSV.", readable=False)],
    activities: Annotated[
        Path,
        typer.Option(
            help="activity_id, lead_id, type, occurred_at, asset, channel, value and more.", readable=False
        ),
    ],
    as_of: Annotated[str, typer.Option(help="The scoring time: 2026-11-01 or 2026-11-01T12:00:00Z.")],
    out: Annotated[
        Path,
        typer.Option(
            help="Where to write one row per lead; Parquet or CSV. In CSV a text that a spreadsheet would "
            "run as a formula gets a ' before it; Parquet has it unchanged.",
            readable=False,
        ),
    ],
) -> None:
    """Score every lead of an export under one rules file, without any server."""
    format_of(out)
    refuse_overwriting(out, (rules, leads, activities))
    body = read_bytes(rules)
    card = load_scorecard(body, name=str(rules), lists=read_lists(body, rules.parent))
    moment = as_of_moment(as_of, card)
    with Console(stderr=True).status("reading") as progress:
        facts = facts_from_files(leads, activities)
        progress.update("scoring")
        table = score_facts(card, facts, as_of=moment)
        missing, absent = unreadable(card, facts), absent_fields(card, facts)
        progress.update("writing")
        marked = write_table(_presentable(card, table), out)
    for rows in facts.set_aside:
        print(f"set aside: {rows}", file=sys.stderr)
    for told in facts.left_out:
        print(told, file=sys.stderr)
    for field in absent:
        print(
            f"{field}: the rules ask for it, and no row has it; is the column named otherwise?",
            file=sys.stderr,
        )
    for field, count in missing.items():
        print(f"{count:,} values of {field} could not be read and count as missing", file=sys.stderr)
    if marked:
        print(
            f"{marked:,} cells of {out} got a ' before them, or a spreadsheet would run them as formulas; "
            "Parquet has them unchanged",
            file=sys.stderr,
        )
    print(f"{table.num_rows:,} leads scored as of {moment.isoformat()} into {out}")


def as_of_moment(text: str, card: Scorecard) -> datetime:
    """A bare date means the end of that day in the scorecard's zone; a naive time is UTC."""
    if not is_moment(text):
        raise InputUnreadable(
            f"--as-of {text!r} is no date or time from 1970 to 2199; write 2026-11-01 or 2026-11-01T12:00:00Z"
        )
    return end_of(text, card.timezone)


def format_of(path: Path) -> str:
    """How a result's file ends.

    Raises:
        InputUnreadable: Neither in .csv nor in .parquet.
    """
    if path.suffix not in {".csv", ".parquet"}:
        raise InputUnreadable(f"{path}: end the name in .csv or .parquet")
    return path.suffix


def _presentable(card: Scorecard, table: pa.Table) -> pa.Table:
    """lead_id, labels, dimensions in whole points, rules as decimals of points with three places."""
    columns = {"lead_id": table["lead"], "score": table["score"], "band": table["band"]}
    if card.grades:
        columns["grade"] = table["grade"]
    columns |= {dimension.id: table[dimension.id] for dimension in card.dimensions}
    thousandth = pa.scalar(Decimal("0.001"))
    for rule in card.rules:
        columns[rule.id] = pc.multiply(pc.cast(table[rule.id], pa.decimal128(19, 0)), thousandth)
    return pa.table(columns).sort_by("lead_id")


def write_table(table: pa.Table, out: Path) -> int:
    """Write a table as its file's name ends; how many cells have a ' before them, for no spreadsheet to run.

    Raises:
        InputUnreadable: The file cannot be written.
    """
    texts = [column for column in table.columns if column.type == pa.string()]
    formulas = (pc.match_substring_regex(column, BEGINS_A_FORMULA) for column in texts)
    marked = sum(pc.sum(found).as_py() or 0 for found in formulas)
    try:
        out.touch(mode=0o600)  # lead data is in it; a file that was there stays as its owner has it
        if out.suffix == ".parquet":
            pq.write_table(table, out)
            return 0
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table.column_names)
            for batch in table.to_batches(max_chunksize=10_000):
                rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                writer.writerows(map(harmless, rows))
        return marked
    except OSError as problem:
        raise InputUnreadable(f"{out}: cannot be written ({problem.strerror})") from None
