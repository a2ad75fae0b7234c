"""Who gave a property which value when, as the vendor tells it under `propertiesWithHistory`."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sandbox_crm.shapes import Properties

TABLE: Final = """
CREATE TABLE history (
    seq INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, property TEXT NOT NULL, value TEXT,
    at INTEGER NOT NULL, source TEXT NOT NULL, user_id INTEGER);
CREATE INDEX history_by_property ON history (contact_id, property, at, seq);
"""


@dataclass(frozen=True)
class Author:
    """Where a value came from, in the vendor's words; a user only where a person sat at a screen."""

    source: str
    user: int | None = None


APP: Final = Author("INTEGRATION")
SCREEN: Final = Author("CRM_UI")
LOADED: Final = "IMPORT"
"""The source of values that were there before anything was written."""


def note(db: sqlite3.Connection, contact_id: int, properties: Properties, now: int, author: Author) -> None:
    """Keep who wrote these values."""
    db.executemany(
        "INSERT INTO history (contact_id, property, value, at, source, user_id) VALUES (?, ?, ?, ?, ?, ?)",
        [(contact_id, name, value, now, author.source, author.user) for name, value in properties.items()],
    )


def of_record(
    db: sqlite3.Connection, row: sqlite3.Row, present: Properties, names: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """The history of some properties of a record, newest first, with dates in milliseconds."""
    return {name: _of_property(db, row, present.get(name), name) for name in names}


def _of_property(
    db: sqlite3.Connection, row: sqlite3.Row, present: str | None, name: str
) -> list[dict[str, Any]]:
    entries = db.execute(
        "SELECT value, at, source, user_id FROM history WHERE contact_id = ? AND property = ?"
        " ORDER BY at DESC, seq DESC",
        (row["id"], name),
    ).fetchall()
    if not entries and present is not None:
        return [{"value": present, "timestamp": row["created"], "sourceType": LOADED}]
    return [
        {"value": entry["value"] or "", "timestamp": entry["at"], "sourceType": entry["source"]}
        | ({"updatedByUserId": entry["user_id"]} if entry["user_id"] else {})
        for entry in entries
    ]
