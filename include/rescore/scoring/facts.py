"""The facts a score is made of: two relations on a DuckDB connection."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa

from rescore.errors import InputUnreadable
from rescore.scoring import intake
from rescore.scoring.columns import FOLDED, WORDS, Columns
from rescore.scoring.input_file import InputFile, open_file
from rescore.text import fold, word_line

_KEYS = ("source", "activity_id", "lead", "type")
"""Texts that are compared as they are, never folded."""

_LEAD_KEYS = frozenset({"lead", "lead_id"})
_ACTIVITY_KEYS = _LEAD_KEYS | {"source", "activity_id", "type", "occurred_at", "known_at"}


@dataclass(frozen=True)
class SetAside:
    """Rows of an input that did not become facts.

    Attributes:
        input: The file, or what else it was.
        reason: Why: `lead_repeated`.
        rows: How many.
        first: Where the first of them stand in the file, its header being row 1; empty where it is not sure.
    """

    input: str
    reason: str
    rows: int
    first: tuple[int, ...]

    def __str__(self) -> str:
        """The rows as people look for them."""
        *others, last = map("{:,}".format, self.first or (0,))
        places = f"rows {', '.join(others)} and {last}" if others else f"row {last}"
        if self.rows > len(self.first):
            places = f"the first are {places}" if others else f"the first is {places}"
        told = f"{self.reason.replace('_', ' ')}, {self.rows:,} row{'s' * (self.rows != 1)} of {self.input}"
        return f"{told} ({places})" if self.first else told


@dataclass(frozen=True)
class Facts:
    """Activities and leads, as the names of two relations on a connection.

    activities: `source`, `activity_id`, `lead`, `type` VARCHAR; `occurred_at`, `known_at` TIMESTAMP (naive
    UTC, microseconds); `asset`, `channel` VARCHAR; `value` DOUBLE; any other columns. Each
    (source, activity_id) is there once. leads: `lead` VARCHAR, once each, and any attribute columns.
    Every VARCHAR column that conditions compare has its text forms beside it (`with_text_forms`).

    `parts` may divide both relations by lead into smaller pairs of relations, which bounds the memory of a
    long run. `seen` says which state of the lake they are: table -> number of its last append.
    `whole_accounts` makes the relations that `accounts` gives, where these two are not they. `kept` says that
    both are tables in memory, of few leads.

    Of facts that were read from an input: `set_aside` are its rows that did not become facts, `left_out` says
    which columns did not, and `not_finite` counts by relation and column what is a number without being one.
    """

    connection: duckdb.DuckDBPyConnection
    activities: str
    leads: str
    parts: Sequence[tuple[str, str]] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    whole_accounts: Callable[[], tuple[str, str]] | None = None
    kept: bool = False
    set_aside: Sequence[SetAside] = ()
    left_out: Sequence[str] = ()
    not_finite: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Columns:
        """What the two relations hold."""
        relations = {"activities": self.activities, "leads": self.leads}
        return Columns.of(self.connection, **relations, kept=self.kept)

    @cached_property
    def accounts(self) -> tuple[str, str]:
        """Relations of activities and of leads with everybody of the accounts that these leads belong to."""
        return self.whole_accounts() if self.whole_accounts else (self.activities, self.leads)


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
    return _facts(connection, _Input("the table of leads"), _Input("the table of activities"))


def facts_from_files(leads: Path, activities: Path) -> Facts:
    """Facts from CSV (every column is text) or Parquet files, with the columns of `facts_from_tables`.

    Raises:
        InputUnreadable: A file is not there, is not what its name says, lacks a needed column, has two that
            could be meant, or has rows of which none can be read.
    """
    connection = open_connection()
    files: list[InputFile] = []
    said: list[str] = []
    not_finite: dict[str, dict[str, int]] = {}
    for path, relation, keys in ((leads, "leads", _LEAD_KEYS), (activities, "activities", _ACTIVITY_KEYS)):
        given = f"given_{relation}"
        files.append(open_file(connection, path, given))
        said += intake.left_out(connection, given, keys=keys, called=str(path))
        not_finite[relation] = intake.not_finite(connection, given)
    facts = _facts(connection, *(_Input(str(file.path), file.rows_of, file.malformed) for file in files))
    for file in files:
        of_file = [one for one in facts.set_aside if one.input == str(file.path)]
        lost = sum(one.rows for one in of_file if one.reason != intake.UNKNOWN_LEAD)
        if lost and lost == file.rows + len(file.malformed):
            told = "; ".join(map(str, of_file))
            raise InputUnreadable(f"No row of {file.path} can be used: {told}.")
    return replace(facts, left_out=said, not_finite=not_finite)


@dataclass(frozen=True)
class _Input:
    called: str
    rows_of: Callable[[Sequence[int]], tuple[int, ...]] = tuple
    malformed: Sequence[int] = ()

    def aside(self, found: Iterable[intake.Aside]) -> Iterator[SetAside]:
        for one in found:
            yield SetAside(self.called, one.reason, one.rows, self.rows_of(one.first))
        if self.malformed:
            first = tuple(self.malformed[: intake.TOLD])
            yield SetAside(self.called, "row_malformed", len(self.malformed), first)


def _facts(connection: duckdb.DuckDBPyConnection, leads: _Input, activities: _Input) -> Facts:
    lead_rows, aside_of_leads = intake.leads(connection, "given_leads", called=leads.called)
    _register(connection, "leads", lead_rows)
    activity_rows, aside = intake.activities(
        connection, "given_activities", leads="leads", called=activities.called
    )
    _register(connection, "activities", activity_rows)
    set_aside = (*leads.aside(aside_of_leads), *activities.aside(aside))
    return Facts(connection, "activities", "leads", set_aside=set_aside)


def _register(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    texts = [column.name for column in rows.schema if column.type == pa.string() and column.name not in _KEYS]
    connection.register(name, with_text_forms(rows, texts))
