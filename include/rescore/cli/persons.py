"""Of which records is it not clear who they are: one with several others, or with somebody who was erased?"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from rescore.cli.operate import open_ledger
from rescore.ledger.people import barred, records
from rescore.settings import Settings


def persons(
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many records.")] = 50,
) -> None:
    """List the records that cannot be told from several others, and those that are barred.

    Correct an ambiguous one in its CRM, and the others are joined when it is read next. A barred one is
    said to be one with a person who was erased: `rescore erase LEAD` if it is, `rescore erase LEAD --lift` if
    it is somebody else.
    """
    with open_ledger(Settings.from_environment(os.environ)).reading() as connection:
        count = records.ambiguous(connection)
        for record in records.ambiguous_records(connection, limit=limit):
            print(record)
        for record in barred.listed(connection, limit=limit):
            print(f"{record} is barred")
        kept_out = barred.count(connection)
    print(
        f"{count:,} records may each be one person with several others" if count else "no record is ambiguous"
    )
    if kept_out:
        print(f"{kept_out:,} records are barred, each said to be one with somebody who was erased")
