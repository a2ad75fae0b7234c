"""Scores facts with a scorecard: DuckDB runs the compiled query."""

from contextlib import ExitStack
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from rescore.rules.card import Scorecard
from rescore.rules.scope import about_accounts
from rescore.scoring.compile import ScoringQuery, compile_scorecard
from rescore.scoring.facts import Facts
from rescore.scoring.unreadable import unreadable

__all__ = ["score", "score_to_parquet", "unreadable"]

_BATCH = 100_000
"""Rows in flight between the query and the file; each batch becomes a row group."""

PART = "activities of the part", "leads of the part"
"""What every part is called while it is scored, so that one query serves them all."""


def score(card: Scorecard, facts: Facts, *, as_of: datetime, known_as_of: datetime | None = None) -> pa.Table:
    """One row per lead: `lead`, labels, each dimension, each rule, `<rule>__choice` per `first_of`.

    The labels are `score`, `band`, `grade` and `restarted_at` (naive UTC, null without a restart). Score and
    dimensions are whole points (int64), null outside the audience; band and grade are null below the lowest
    bound; rules are thousandths after their limit; a choice is the index of the entry taken, null for none.
    """
    query = _prepared(card, facts, (facts.activities, facts.leads), as_of, known_as_of)
    return facts.connection.sql(query).to_arrow_table()


def score_to_parquet(
    card: Scorecard, facts: Facts, *, as_of: datetime, path: str, known_as_of: datetime | None = None
) -> int:
    """Write what `score` gives to a Parquet file, part by part of the facts; returns the number of rows."""
    return write_parts(facts, _prepared(card, facts, scored_names(facts), as_of, known_as_of), path)


def scored_names(facts: Facts) -> tuple[str, str]:
    """The relations of activities and of leads that a query for `write_parts` reads."""
    return PART if facts.parts else (facts.activities, facts.leads)


def write_parts(facts: Facts, query: str, path: str) -> int:
    """Write a query's rows to a Parquet file, part by part of the facts; how many."""
    connection, rows = facts.connection, 0
    if not facts.parts:
        target = path.replace("'", "''")
        copied = connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        return int(copied.fetchall()[0][0])
    with ExitStack() as open_file:
        writer: pq.ParquetWriter | None = None
        for part in facts.parts:
            for name, relation in zip(PART, part, strict=True):
                connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS FROM "{relation}"')
            batches = connection.sql(query).to_arrow_reader(_BATCH)
            if writer is None:
                writer = open_file.enter_context(pq.ParquetWriter(path, batches.schema, compression="zstd"))
            for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows


def _prepared(
    card: Scorecard, facts: Facts, names: tuple[str, str], as_of: datetime, known_as_of: datetime | None
) -> str:
    activities, leads = names
    query = compile_scorecard(
        card,
        as_of=as_of,
        known_as_of=known_as_of,
        columns=facts.columns,
        activities=activities,
        leads=leads,
        accounts=accounts_of(facts, card),
    )
    return prepared(query, facts)


def accounts_of(facts: Facts, *cards: Scorecard) -> tuple[str, str] | None:
    """The relations in which accounts are whole; None where none of the cards asks for them."""
    return facts.accounts if any(map(about_accounts, cards)) else None


def prepared(query: ScoringQuery, facts: Facts) -> str:
    """The query as text; what it reads besides facts is there on return."""
    statements, text = query.with_tables()
    for statement in statements:
        facts.connection.execute(statement)
    return text
