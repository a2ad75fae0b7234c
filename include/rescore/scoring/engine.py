"""Scores facts with a scorecard: DuckDB runs the compiled query."""

from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from rescore.rules.card import Scorecard
from rescore.scoring.compile import ScoringQuery, compile_scorecard
from rescore.scoring.facts import Facts
from rescore.scoring.unreadable import unreadable

__all__ = ["score", "score_to_parquet", "unreadable"]


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
    """Write what `score` gives to a Parquet file, row group by row group; returns the number of rows."""
    query = _query(card, facts, as_of, known_as_of)
    target = exp.Literal.string(path).sql("duckdb")
    copy = f"COPY ({query.sql()}) TO {target} (FORMAT parquet, COMPRESSION zstd)"
    (rows,) = facts.connection.execute(copy).fetchall()[0]
    return int(rows)


def _query(card: Scorecard, facts: Facts, as_of: datetime, known_as_of: datetime | None) -> ScoringQuery:
    return compile_scorecard(
        card,
        as_of=as_of,
        known_as_of=known_as_of,
        columns=facts.columns,
        activities=facts.activities,
        leads=facts.leads,
    )
