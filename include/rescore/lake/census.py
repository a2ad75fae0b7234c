"""What the lake holds, in counts: for people who write rules and for `rescore status`."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from rescore.lake.reading import FOLDED, WORDS, CurrentRows, attributes, connect, listed
from rescore.lake.tables import ACTIVITIES, BOOKKEEPING, LEADS, SET_ASIDE, Storage, columns_of
from rescore.withheld import RESERVED

_NOT_COMPARED = BOOKKEEPING | {"source", "lead", "known_at", "activity_id", "type", "occurred_at"}

SHARED = 5
"""So many leads make a word of the trade of what could be somebody's name."""
MOST_WORDS = 5_000
"""Words a field gives at most, the most frequent ones."""


def activity_types(storage: Storage) -> dict[str, int]:
    """Type -> activities."""
    with connect() as connection:
        table = storage.open(ACTIVITIES)
        columns = ("source", "activity_id", "revision", "type")
        rows = CurrentRows(connection, table, ACTIVITIES, columns).read()
        counted = f"SELECT type, count(*) FROM ({rows}) GROUP BY type ORDER BY type"
        return dict(connection.execute(counted).fetchall())


def activity_fields(storage: Storage) -> dict[str, int]:
    """Field -> activities that have a value in it."""
    table = storage.open(ACTIVITIES)
    if table is None:
        return {}
    fields = [
        column.name
        for column in columns_of(table)
        if column.name not in _NOT_COMPARED and not column.name.endswith((FOLDED, WORDS))
    ]
    with connect() as connection:
        columns = ("source", "activity_id", "revision", *fields)
        rows = CurrentRows(connection, table, ACTIVITIES, columns).read()
        return _values(connection, rows, {field: listed([field]) for field in fields})


def lead_attributes(storage: Storage) -> dict[str, int]:
    """Attribute -> leads that have a value for it, merged-away leads included."""
    table = storage.open(LEADS)
    if table is None:
        return {}
    named = attributes(columns_of(table))
    chosen = {
        name: value
        for name, value in named.items()
        if name not in RESERVED and not name.endswith((FOLDED, WORDS))
    }
    with connect() as connection:
        return _values(connection, CurrentRows(connection, table, LEADS).read(), chosen)


def activity_words(storage: Storage) -> dict[str, frozenset[str]]:
    """Field -> the words in its values that activities of at least `SHARED` leads have."""
    table = storage.open(ACTIVITIES)
    if table is None:
        return {}
    fields = [name.removesuffix(WORDS) for name in columns_of(table).names if name.endswith(WORDS)]
    columns = ("source", "activity_id", "revision", "lead", *(field + WORDS for field in fields))
    with connect() as connection:
        rows = CurrentRows(connection, table, ACTIVITIES, columns).read()
        return {field: _words(connection, rows, listed([field + WORDS])) for field in fields}


def lead_words(storage: Storage) -> dict[str, frozenset[str]]:
    """Attribute -> the words in its values that at least `SHARED` leads have."""
    table = storage.open(LEADS)
    if table is None:
        return {}
    named = attributes(columns_of(table))
    with connect() as connection:
        rows = CurrentRows(connection, table, LEADS).read()
        return {
            name.removesuffix(WORDS): _words(connection, rows, value)
            for name, value in named.items()
            if name.endswith(WORDS)
        }


def _words(connection: duckdb.DuckDBPyConnection, rows: str, word_line: str) -> frozenset[str]:
    each = f"SELECT DISTINCT lead, unnest(string_split(trim({word_line}), ' ')) AS word FROM ({rows})"
    shared = f"SELECT word FROM ({each}) WHERE word <> '' GROUP BY word HAVING count(*) >= {SHARED}"
    frequent = f"{shared} ORDER BY count(*) DESC, word LIMIT {MOST_WORDS}"
    return frozenset(word for (word,) in connection.execute(frequent).fetchall())


def _values(connection: duckdb.DuckDBPyConnection, rows: str, chosen: Mapping[str, str]) -> dict[str, int]:
    """How many rows have a value, by name."""
    if not chosen:
        return {}
    counts = ", ".join(f"count({value})" for value in chosen.values())
    found = connection.execute(f"SELECT {counts} FROM ({rows})").fetchall()[0]
    return dict(zip(chosen, found, strict=True))


def set_aside(storage: Storage) -> dict[str, int]:
    """Reason -> records."""
    table = storage.open(SET_ASIDE)
    if table is None:
        return {}
    with connect() as connection:
        rows = connection.from_arrow(pa.table(table.scan(columns=["reason"])))
        return dict(sorted(rows.aggregate("reason, count(*)", "reason").fetchall()))
