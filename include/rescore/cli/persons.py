"""Of which records is it not clear who they are: one with several others, or with somebody who was erased?"""

from __future__ import annotations

import os
from collections import Counter
from typing import Annotated

import typer

from rescore.cli.given import LARGEST
from rescore.lake.claims import Doubt
from rescore.ledger.people import barred, records
from rescore.model import split_lead_key
from rescore.settings import Settings
from rescore.workspace import Workspace

MOST = 6
"""Of how many others a line tells the keys."""


def persons(
    limit: Annotated[int, typer.Option("--limit", min=1, max=LARGEST, help="At most so many records.")] = 50,
) -> None:
    """List the records that cannot be told from several others, with whom and why, and those that are barred.

    Correct an ambiguous one in its CRM, and the others are joined when it is read next. A barred one is
    said to be one with a person who was erased: `rescore erase LEAD` if it is, `rescore erase LEAD --lift` if
    it is somebody else.
    """
    ws = Workspace.open(Settings.from_environment(os.environ))
    with ws.ledger.reading() as connection:
        count = records.ambiguous(connection)
        unclear = records.ambiguous_records(connection, limit=limit)
        shut_out = barred.listed(connection, limit=limit)
        kept_out = barred.count(connection)
    doubts = ws.lake.doubts(unclear) if unclear else {}
    for record in unclear:
        print(_line(record, doubts[record]) if record in doubts else record)
    for record in shut_out:
        print(f"{record} is barred")
    print(
        f"{count:,} records may each be one person with several others" if count else "no record is ambiguous"
    )
    if kept_out:
        print(f"{kept_out:,} records are barred, each said to be one with somebody who was erased")


def _line(record: str, doubt: Doubt) -> str:
    """Who else it may be, what says so, and why that joins nobody; keys are all that is told."""
    everybody = {record, *doubt.others}
    several = Counter(split_lead_key(key)[0] for key in everybody)
    twice = sorted(source for source, number in several.items() if number > 1)
    shared = [what for what, says in (("id", doubt.by_id), ("e-mail address", doubt.by_address)) if says]
    alike = f" (the same {' and '.join(shared)})" if shared else ""
    why = f", but {' and '.join(twice)} has more than one of them" if twice else ""
    return f"{record} may be one person with {_keys(doubt.others)}{alike}{why}"


def _keys(keys: frozenset[str]) -> str:
    told = sorted(keys)[:MOST]
    more = len(keys) - len(told)
    return f"{', '.join(told)} and {more:,} more" if more else " and ".join(told)
