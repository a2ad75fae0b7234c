"""Two scores of the same leads compared, with each other and with what the leads' attributes say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from rescore.lake.reading import listed
from rescore.scoring.columns import ColumnType
from rescore.scoring.facts import Facts

Sources = Sequence[tuple[str, datetime]]
"""Parquet files of `lead, score, band, shadow_score, shadow_band`, each with the time its scores are of."""

APART = 100
"""How many of the leads that differ most are listed."""


class Comparison:
    """The newest pair of scores of every lead that is still there.

    `named` is a table on the connection: the pair, and `field` and `converted` of the lead where asked for.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def leads(self) -> tuple[int, int, int]:
        """How many either version scores, how many of them carry the same band, how many the same score."""
        leads, band, score = self._row(
            "SELECT count(*), count_if(band IS NOT DISTINCT FROM shadow_band), "
            "count_if(score IS NOT DISTINCT FROM shadow_score) FROM named "
            "WHERE score IS NOT NULL OR shadow_score IS NOT NULL"
        )
        return leads, band, score

    def moves(self) -> dict[tuple[str | None, str | None], int]:
        """(band, band of the shadow) -> leads."""
        rows = self._connection.execute(
            "SELECT band, shadow_band, count(*) FROM named GROUP BY ALL"
        ).fetchall()
        return {(band, shadow): count for band, shadow, count in sorted(rows, key=repr)}

    def correlation(self, one: str, other: str) -> float | None:
        """Spearman's rank correlation of two columns, where both are there; None when it is undefined."""
        found: float | None
        [found] = self._row(
            f"""
            WITH pairs AS (
                SELECT "{one}" AS a, "{other}" AS b FROM named WHERE a IS NOT NULL AND b IS NOT NULL
            ), ranked AS (
                SELECT rank() OVER (ORDER BY a) + (count(*) OVER (PARTITION BY a) - 1) / 2 AS a,
                    rank() OVER (ORDER BY b) + (count(*) OVER (PARTITION BY b) - 1) / 2 AS b FROM pairs
            )
            SELECT CASE WHEN stddev_pop(a) > 0 AND stddev_pop(b) > 0 THEN corr(a, b) END FROM ranked
            """
        )
        return found

    def conversion(self, band: str) -> dict[str | None, tuple[int, int]]:
        """Band -> leads in it, and of them converted; `band` names the column."""
        rows = self._connection.execute(
            f'SELECT "{band}", count(*), count_if(converted) FROM named GROUP BY ALL'
        ).fetchall()
        return {label: (count, converted) for label, count, converted in sorted(rows, key=repr)}

    def with_field(self) -> int:
        """How many leads have a number in the field."""
        return int(self._row("SELECT count(field) FROM named")[0])

    def furthest_apart(self) -> list[tuple[str, int | None, str | None, int | None, str | None]]:
        """The leads whose two scores differ most: lead, score, band, and both of the shadow."""
        return self._connection.execute(
            "SELECT lead, score, band, shadow_score, shadow_band FROM named "
            "WHERE score IS DISTINCT FROM shadow_score "
            "ORDER BY abs(coalesce(score, 0) - coalesce(shadow_score, 0)) DESC, lead LIMIT ?",
            [APART],
        ).fetchall()

    def _row(self, query: str) -> Any:
        [row] = self._connection.execute(query).fetchall()
        return row


def compare(facts: Facts, sources: Sources, *, field: str | None, converted: str | None) -> Comparison:
    """Compare pairs of scores of leads that the facts know; `field` and `converted` are their attributes.

    A flag converts when it is set, any other attribute when it has a value.
    """
    connection = facts.connection
    pairs = " UNION ALL ".join(
        "SELECT lead, score, band, shadow_score, shadow_band, "
        f"TIMESTAMP '{as_of.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')}' AS as_of "
        f"FROM read_parquet('{path.replace(chr(39), chr(39) * 2)}')"
        for path, as_of in sources
    )
    number = f"TRY_CAST(l.{listed([field])} AS DOUBLE)" if field else "NULL::DOUBLE"
    done = "false"
    if converted:
        value = f"l.{listed([converted])}"
        is_flag = facts.columns.leads[converted] is ColumnType.FLAG
        done = f"coalesce({value}, false)" if is_flag else f"{value} IS NOT NULL"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE named AS
        SELECT p.* EXCLUDE (as_of), {number} AS field, {done} AS converted
        FROM ({pairs}) AS p JOIN "{facts.leads}" AS l ON p.lead = l.lead
        QUALIFY row_number() OVER (PARTITION BY p.lead ORDER BY p.as_of DESC) = 1
        """
    )
    return Comparison(connection)
