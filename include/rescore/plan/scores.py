"""Everybody's numbers under both cards: scored from facts, or stored scores put under new thresholds."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rescore.ledger.rules.record import Record
from rescore.model import MILLI
from rescore.plan.columns import Column, dimension_columns
from rescore.plan.effects import Both
from rescore.rules.card import Band, Grades, Scorecard
from rescore.scoring.facts import Facts
from rescore.scoring.pair import OLD, score_pair_to_parquet


def scored(old: Scorecard, new: Scorecard, facts: Facts, *, as_of: datetime, path: str) -> Both:
    """Score everybody under both; the results stay at `path` as a Parquet file."""
    old_rules = score_pair_to_parquet(old, new, facts, as_of=as_of, path=path)
    return Both(old, new, pq.read_table(path), old_rules)


def under_new_thresholds(old: Scorecard, new: Scorecard, record: Record, *, path: str) -> Both:
    """Give the stored scores the new card's bands and grades; the results stay at `path`.

    They have no columns of rules: what a lead has its points for stays as it is.
    """
    stored = record.committed
    dimensions = dimension_columns(stored["dimensions"], [dimension.id for dimension in old.dimensions])
    columns = {"lead": stored["lead"], "score": stored["score"], "band": bands_of(new.bands, stored["score"])}
    columns |= {OLD + "score": stored["score"], OLD + "band": stored["band"]}
    if new.grades is not None:
        columns["grade"] = grades_of(new.grades, stored["score"], dimensions)
    if old.grades is not None:
        columns[OLD + "grade"] = stored["grade"]
    columns |= {dimension.id: dimensions[dimension.id] for dimension in new.dimensions}
    columns |= {OLD + name: values for name, values in dimensions.items()}
    rows = pa.table(columns)
    pq.write_table(rows, path, compression="zstd")
    return Both(old, new, rows, {})


def bands_of(bands: tuple[Band, ...], points: Column) -> Column:
    """The first band, from the highest, whose bound the whole points have reached."""
    found = pa.nulls(len(points), pa.string())
    for band in reversed(bands):
        reached = pc.fill_null(pc.greater_equal(points, -(-band.bound // MILLI)), False)
        found = pc.if_else(reached, band.id, found)
    return found


def grades_of(grades: Grades, score: Column, dimensions: dict[str, Column]) -> Column:
    """The label with every dimension's band in it; none where a band is missing, or the score is."""
    parts = {name: bands_of(bands, dimensions[name]) for name, bands in grades.dimensions}
    rows = zip(score.to_pylist(), *(part.to_pylist() for part in parts.values()), strict=True)
    labels = [
        None
        if points is None or None in found
        else grades.label.format(**dict(zip(parts, found, strict=True)))
        for points, *found in rows
    ]
    return pa.array(labels, pa.string())
