"""Rows of the ledger for which only a few columns matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Integer, LargeBinary, Table, insert, select

from rescore.ledger.transaction import Ledger
from rescore.ledger.types import UtcDateTime

NOW = datetime(2027, 12, 1, 4, 10, tzinfo=UTC)


def row(table: Table, **given: Any) -> dict[str, Any]:
    """The given values, and something for every other column that must have one."""
    needed = (column for column in table.c if not column.nullable and column.default is None)
    return {column.name: _something(column.type) for column in needed if not _counts_itself(column)} | given


def put(ledger: Ledger, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert them; what only some of them say is null in the others."""
    full = [row(table, **given) for given in rows]
    named = {name: None for each in full for name in each}
    with ledger.transaction() as connection:
        connection.execute(insert(table), [named | each for each in full])


def there(ledger: Ledger, table: Table, *columns: str) -> list[Any]:
    """The values of a column, or tuples of several, sorted."""
    with ledger.reading() as connection:
        found = connection.execute(select(*(table.c[name] for name in columns))).all()
    return sorted(each[0] if len(columns) == 1 else tuple(each) for each in found)


def _counts_itself(column: Any) -> bool:
    return bool(column.primary_key and column.autoincrement is True)


def _something(kind: Any) -> Any:
    if isinstance(kind, UtcDateTime):
        return NOW
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer):
        return 0
    return b"{}" if isinstance(kind, LargeBinary) else "{}"
