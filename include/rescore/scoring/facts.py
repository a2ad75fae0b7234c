"""The facts a score is made of: two relations on a DuckDB connection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa

from rescore.scoring import intake
from rescore.scoring.columns import FOLDED, WORDS, Columns
from rescore.text import fold, word_line

_KEYS = ("source", "activity_id", "lead", "type")
"""Texts that are compared as they are, never folded."""


@dataclass(frozen=True)
class Facts:
    """Activities and leads, as the names of two relations on a connection.

    activities: `source`, `activity_id`, `lead`, `type` VARCHAR; `occurred_at`, `known_at` TIMESTAMP (naive
    UTC, microseconds); `asset`, `channel` VARCHAR; `value` DOUBLE; any other columns. Each
    (source, activity_id) is there once. leads: `lead` VARCHAR, once each, and any attribute columns.
    Every VARCHAR column that conditions compare has its text forms beside it (`with_text_forms`).

    `set_aside` counts, by reason, the rows of the input that did not become facts. `parts` may divide
    both relations by lead into smaller pairs of relations, which bounds the memory of a long run.
    `seen` says which state of the lake they are: table -> number of its last append.
    """

    connection: duckdb.DuckDBPyConnection
    activities: str
    leads: str
    set_aside: Mapping[str, int] = field(default_factory=dict)
    parts: Sequence[tuple[str, str]] = ()
    seen: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Columns:
        """What the two relations hold."""
        return Columns.of(self.connection, activities=self.activities, leads=self.leads)


def open_connection() -> duckdb.DuckDBPyConnection:
    """An in-process DuckDB that reads times as UTC and leaves the machine room to breathe."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def with_text_forms(table: pa.Table, fields: Iterable[str]) -> pa.Table:
    """The table with `f__folded` and `f__words` for each text field `f`; empty texts are missing there.

    Each distinct value is folded once. Columns that already have such a name are replaced.
    """
    for name in fields:
        encoded = table.column(name).combine_chunks().dictionary_encode()
        raw = encoded.dictionary.to_pylist()
        folded = [fold(value) if value else None for value in raw]
        lines = [None if value is None else word_line(value) for value in folded]
        for suffix, forms in ((FOLDED, folded), (WORDS, lines)):
            column = pa.array(forms, pa.string()).take(encoded.indices)
            if name + suffix in table.column_names:
                table = table.drop_columns([name + suffix])
            table = table.append_column(name + suffix, column)
    return table


def facts_from_tables(leads: pa.Table, activities: pa.Table) -> Facts:
    """Facts held in memory.

    Args:
        leads: `lead` (or `lead_id`) and any attributes.
        activities: `lead` (or `lead_id`), `type`, `occurred_at`; `source`, `activity_id`, `known_at`,
            `asset`, `channel`, `value` where there are any; any other columns.

    Raises:
        InputUnreadable: A column that is needed is not there.
    """
    connection = open_connection()
    connection.register("given_leads", leads)
    connection.register("given_activities", activities)
    return _facts(connection)


def facts_from_files(leads: Path, activities: Path) -> Facts:
    """Facts from CSV (every column is text) or Parquet files, with the columns of `facts_from_tables`.

    Raises:
        InputUnreadable: A file is not there, is not what its name says, or lacks a needed column.
    """
    connection = open_connection()
    malformed = intake.open_file(connection, leads, "given_leads")
    malformed += intake.open_file(connection, activities, "given_activities")
    facts = _facts(connection)
    if malformed:
        facts = replace(facts, set_aside={**facts.set_aside, "row_malformed": malformed})
    return facts


def _facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    lead_rows, set_aside = intake.leads(connection, "given_leads")
    activity_rows, more = intake.activities(connection, "given_activities")
    for name, rows in (("leads", lead_rows), ("activities", activity_rows)):
        texts = [
            column.name for column in rows.schema if column.type == pa.string() and column.name not in _KEYS
        ]
        connection.register(name, with_text_forms(rows, texts))
    strangers = intake.activities_of_unknown_leads(connection, "activities", "leads")
    counts = {**set_aside, **more, "activity_of_unknown_lead": strangers}
    return Facts(
        connection, "activities", "leads", {reason: count for reason, count in counts.items() if count}
    )
