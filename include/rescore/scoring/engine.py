"""Scores facts with a scorecard: DuckDB runs the compiled query."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from rescore.rules.card import Scorecard
from rescore.scoring.compile import ScoringQuery, compile_scorecard
from rescore.scoring.facts import Facts
from rescore.scoring.unreadable import unreadable

__all__ = ["score", "score_to_parquet", "unreadable"]

_BATCH = 100_000
"""Rows in flight between the query and the file; each batch becomes a row group."""


def score(card: Scorecard, facts: Facts, *, as_of: datetime, known_as_of: datetime | None = None) -> pa.Table:
    """One row per lead: `lead`, `score`, `band`, each dimension, each rule, `<rule>__choice` per `first_of`.

    Score and dimensions are whole points (int64), null outside the audience; `band` is null below the
    lowest; rules are thousandths after their limit; a choice is the index of the entry taken, null for none.
    """
    query = _query(card, facts, as_of, known_as_of)
    return facts.connection.sql(query.sql()).to_arrow_table()


def score_to_parquet(
    card: Scorecard, facts: Facts, *, as_of: datetime, path: str, known_as_of: datetime | None = None
) -> int:
    """Write what `score` gives to a Parquet file, part by part of the facts; returns the number of rows."""
    rows = 0
    with ExitStack() as open_file:
        writer: pq.ParquetWriter | None = None
        for activities, leads in facts.parts or [(facts.activities, facts.leads)]:
            part = replace(facts, activities=activities, leads=leads, parts=())
            query = _query(card, part, as_of, known_as_of)
            batches = facts.connection.sql(query.sql()).to_arrow_reader(_BATCH)
            if writer is None:
                writer = open_file.enter_context(pq.ParquetWriter(path, batches.schema, compression="zstd"))
            for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows


def _query(card: Scorecard, facts: Facts, as_of: datetime, known_as_of: datetime | None) -> ScoringQuery:
    return compile_scorecard(
        card,
        as_of=as_of,
        known_as_of=known_as_of,
        columns=facts.columns,
        activities=facts.activities,
        leads=facts.leads,
    )
