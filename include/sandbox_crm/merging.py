"""Two contacts or companies become one, for good."""

import json
import sqlite3
from typing import Any

from sandbox_crm.companies import move_contacts
from sandbox_crm.load import INSERT_OBJECT
from sandbox_crm.store import FACTS


def merge(db: sqlite3.Connection, kind: str, stays: int, goes: int, now: int, *, anew: bool) -> int:
    """Make one record of two, with the values of the first where both have one; its id.

    `anew` it is a third record and both are gone; otherwise the first one stays.
    """
    found = db.execute("SELECT id, properties FROM objects WHERE id IN (?, ?)", (stays, goes))
    told = {row["id"]: json.loads(row["properties"]) for row in found}
    lost = [stays, goes] if anew else [goes]
    values = json.dumps(_joined(told[stays], told[goes], lost))
    if anew:
        left = int(db.execute("SELECT max(id) + 1 FROM objects").fetchone()[0])
        db.execute(INSERT_OBJECT, (left, kind, now, now, now, True, values))
    else:
        left = stays
        changed = "UPDATE objects SET properties = ?, modified = max(?, modified + 1) WHERE id = ?"
        db.execute(changed, (values, now, left))
    db.executemany("DELETE FROM objects WHERE id = ?", [(number,) for number in lost])
    if kind == "companies":
        move_contacts(db, lost, to=left)
        return left
    for table in ("associations", *FACTS, "changes"):
        moved = f"UPDATE OR REPLACE {table} SET contact_id = ? WHERE contact_id = ?"  # noqa: S608
        db.executemany(moved, [(left, number) for number in lost])
    return left


def _joined(first: dict[str, Any], other: dict[str, Any], lost: list[int]) -> dict[str, Any]:
    """The properties of both; ids and addresses of the other one are kept beside the first one's."""
    merged = [first.get("hs_merged_object_ids"), other.get("hs_merged_object_ids"), *map(str, lost)]
    values = other | {name: value for name, value in first.items() if value is not None}
    values["hs_merged_object_ids"] = ";".join(filter(None, merged))
    if "email" in values:
        more = [first.get("hs_additional_emails"), other.get("email"), other.get("hs_additional_emails")]
        values["hs_additional_emails"] = ";".join(filter(None, more)) or None
    return values
