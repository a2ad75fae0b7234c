"""Ways to break the product on purpose: a function replaced, a transaction torn in two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, tuple_

from rescore.ledger.promotion import promotion
from rescore.ledger.transaction import Ledger

Bug = Callable[[], AbstractContextManager[None]]
"""While it lasts the product is broken."""

_ABSENT = object()


@contextmanager
def instead(owner: Any, name: str, other: Any) -> Iterator[None]:
    """`owner` has something else of that name."""
    real = vars(owner).get(name, _ABSENT)
    setattr(owner, name, other)
    try:
        yield
    finally:
        if real is _ABSENT:  # it was inherited
            delattr(owner, name)
        else:
            setattr(owner, name, real)


def replaced(owner: Any, name: str, other: Any) -> Bug:
    """See `instead`."""
    return lambda: instead(owner, name, other)


def apart(table: Table, owner: Any, name: str) -> Bug:
    """What a function writes to a table while a chunk is promoted is committed after the chunk, by itself."""

    @contextmanager
    def bug() -> Iterator[None]:
        real, promotes = getattr(owner, name), promotion.promote
        left: list[_Change] = []

        def writes(*args: Any, **how: Any) -> Any:
            connection = next(
                found
                for one in args
                if isinstance(found := getattr(one, "_connection", one), Connection)  # a chunk has its own
            )
            change = _Change(table, _rows(connection, table))
            result = real(*args, **how)
            change.take_back(connection)
            left.append(change)
            return result

        def promote(ledger: Ledger, *args: Any, progress: Any = None, **how: Any) -> Any:
            left.clear()  # of a process that died

            def after_each_chunk(line: str) -> None:
                while left:
                    ledger.in_transaction(left.pop(0).write)

            return promotes(ledger, *args, progress=after_each_chunk, **how)

        with instead(owner, name, writes), instead(promotion, "promote", promote):
            yield

    return bug


class _Change:
    """What was written to a table since it had these rows."""

    def __init__(self, table: Table, before: Sequence[Row[Any]]) -> None:
        self._table, self._before = table, before
        self._after: Sequence[Row[Any]] = ()

    def take_back(self, connection: Connection) -> None:
        """As if it had not been written."""
        self._after = _rows(connection, self._table)
        self._turn(connection, self._after, self._before)

    def write(self, connection: Connection) -> None:
        """As it should have been at once."""
        self._turn(connection, self._before, self._after)

    def _turn(self, connection: Connection, old: Sequence[Row[Any]], new: Sequence[Row[Any]]) -> None:
        moved = set(map(tuple, old)) ^ set(map(tuple, new))
        columns = list(self._table.primary_key.columns)
        places = [list(self._table.c).index(column) for column in columns]
        keys = {tuple(row[place] for place in places) for row in moved}
        if keys:
            connection.execute(delete(self._table).where(tuple_(*columns).in_(sorted(keys))))
        rows = [dict(row._mapping) for row in new if tuple(row) in moved]
        if rows:
            connection.execute(insert(self._table), rows)


def _rows(connection: Connection, table: Table) -> Sequence[Row[Any]]:
    return connection.execute(select(table)).all()
