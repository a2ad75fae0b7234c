"""New thresholds over stored scores: bands and grades derived again, without a look at the facts."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Connection, select

from rescore.ledger import tables
from rescore.plan.columns import differs, dimension_columns, some
from rescore.plan.scores import bands_of, grades_of
from rescore.rules.card import Scorecard

STORED = pa.schema(
    [
        ("lead", pa.string()),
        ("score", pa.int64()),
        ("old_band", pa.string()),
        ("old_grade", pa.string()),
        ("dimensions", pa.string()),
        ("reasons", pa.string()),
        ("restarted_at", pa.timestamp("us", "UTC")),
    ]
)


def judged_again(connection: Connection, card: Scorecard) -> pa.Table:
    """Every stored score with the bands and grades of these rules, ready to be staged.

    Score, dimensions, reasons and restart stay as they are stored; `changed` says whose band or grade moves.
    """
    score = tables.score
    columns = [score.c.lead, score.c.score, score.c.band, score.c.grade, score.c.dimensions]
    stored = select(*columns, score.c.reasons, score.c.restarted_at).where(score.c.scorecard == card.id)
    values = list(zip(*connection.execute(stored), strict=True)) or [()] * len(STORED)
    rows = pa.table([pa.array(v, t) for v, t in zip(values, STORED.types, strict=True)], schema=STORED)
    band = bands_of(card.bands, rows["score"])
    dimensions = dimension_columns(rows["dimensions"], [dimension.id for dimension in card.dimensions])
    none = pa.nulls(rows.num_rows, pa.string())
    grade = none if card.grades is None else grades_of(card.grades, rows["score"], dimensions)
    moved = [differs(band, rows["old_band"]), differs(grade, rows["old_grade"])]
    rows = rows.drop_columns(["old_band", "old_grade"])
    for name, column in (("band", band), ("grade", grade), ("flags", none), ("under_old_rules", none)):
        rows = rows.append_column(name, column)
    return rows.append_column("changed", some(moved, rows.num_rows)).sort_by("lead")
