"""Which records may be one person with several others, and count as nobody else until that is clear?"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from rescore.cli.operate import open_ledger
from rescore.ledger.people import records
from rescore.settings import Settings


def persons(
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many records.")] = 50,
) -> None:
    """List the records that cannot be told from several others by their ids and e-mail addresses.

    Correct one of them in its CRM, and the others are joined when it is read next.
    """
    with open_ledger(Settings.from_environment(os.environ)).reading() as connection:
        count = records.ambiguous(connection)
        for record in records.ambiguous_records(connection, limit=limit):
            print(record)
    print(
        f"{count:,} records may each be one person with several others" if count else "no record is ambiguous"
    )
