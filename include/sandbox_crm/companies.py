"""What becomes of the contacts of a company that goes: no modified date of theirs tells of it."""

import sqlite3
from collections.abc import Sequence


def move_contacts(db: sqlite3.Connection, companies: Sequence[int], *, to: int | None) -> None:
    """Give the contacts of some companies to another one, or to none."""
    company = None if to is None else str(to)
    db.executemany(
        "UPDATE objects SET properties = json_set(properties, '$.associatedcompanyid', ?)"
        " WHERE type = 'contacts' AND properties ->> '$.associatedcompanyid' = ?",
        [(company, str(number)) for number in companies],
    )
