"""Facts about this ledger itself, as JSON under a name each."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, select

from rescore.ledger import tables
from rescore.ledger.upsert import insert


def read(connection: Connection, name: str) -> Any:
    """What is known under this name; None when nothing is."""
    table = tables.installation
    found = connection.scalar(select(table.c.value).where(table.c.name == name))
    return None if found is None else json.loads(found)


def write(connection: Connection, name: str, value: Any) -> None:
    """Know this under a name, in place of what was known."""
    known = insert(connection, tables.installation).values(name=name, value=json.dumps(value))
    connection.execute(
        known.on_conflict_do_update(index_elements=["name"], set_={"value": known.excluded.value})
    )


def forget(connection: Connection, name: str) -> None:
    """Know nothing under this name."""
    connection.execute(delete(tables.installation).where(tables.installation.c.name == name))
