"""Companies that go, and what becomes of their contacts: no modified date of a contact tells of it."""

import json
import sqlite3
from collections.abc import Sequence

from sandbox_crm.load import INSERT_OBJECT


def merge(db: sqlite3.Connection, stays: int, goes: int, now: int, *, anew: bool) -> int:
    """Make one company of two, with the values of the first where both have one; its id.

    `anew` it is a third record and both are gone; otherwise the first one stays.
    """
    found = db.execute("SELECT id, properties FROM objects WHERE id IN (?, ?)", (stays, goes))
    told = {row["id"]: json.loads(row["properties"]) for row in found}
    lost = [stays, goes] if anew else [goes]
    before = [told[number].get("hs_merged_object_ids") for number in (stays, goes)]
    own = {name: value for name, value in told[stays].items() if value is not None}
    merged = ";".join(filter(None, [*before, *map(str, lost)]))
    values = json.dumps(told[goes] | own | {"hs_merged_object_ids": merged})
    db.executemany("DELETE FROM objects WHERE id = ?", [(number,) for number in lost])
    if anew:
        left = int(db.execute("SELECT max(id) + 1 FROM objects").fetchone()[0])
        db.execute(INSERT_OBJECT, (left, "companies", now, now, now, True, values))
    else:
        left = stays
        changed = "UPDATE objects SET properties = ?, modified = max(?, modified + 1) WHERE id = ?"
        db.execute(changed, (values, now, left))
    move_contacts(db, lost, to=left)
    return left


def move_contacts(db: sqlite3.Connection, companies: Sequence[int], *, to: int | None) -> None:
    """Give the contacts of some companies to another one, or to none."""
    company = None if to is None else str(to)
    db.executemany(
        "UPDATE objects SET properties = json_set(properties, '$.associatedcompanyid', ?)"
        " WHERE type = 'contacts' AND properties ->> '$.associatedcompanyid' = ?",
        [(company, str(number)) for number in companies],
    )
