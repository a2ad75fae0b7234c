"""What did a run change? Its results against the state of record, staged for the gate."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from rescore.erased import Erased
from rescore.ledger.people import tombstones
from rescore.ledger.rules import activations, registry
from rescore.ledger.scores import runs, stage
from rescore.ledger.scores.runs import Run
from rescore.pipeline.causes import with_causes
from rescore.pipeline.cutover import usable_plan
from rescore.pipeline.score import score
from rescore.pipeline.thresholds import judged_again
from rescore.plan.make import plan_results
from rescore.rules.card import Scorecard
from rescore.scoring import withheld
from rescore.scoring.as_json import dimensions_json, number_json, text_json
from rescore.scoring.explain import top_reasons
from rescore.scoring.lead_flags import flags_json
from rescore.scoring.pair import OLD
from rescore.workspace import Workspace

STAGED = pa.schema(
    [column for column in stage.STAGE if column.name not in ("run_key", "causes", "old_score")]
)
COMPARED = ("score", "band", "grade", "dimensions")
ROWS_AT_ONCE = 10_000
"""A row as Python objects takes kilobytes: a rescore may change everybody."""


def stage_deltas(ws: Workspace, run_key: str) -> Counter[str]:
    """Compare a run's results with the ledger and stage them, each with whether it changed.

    Returns:
        Counts: `staged`, of them `different` from the state of record, and `absent` for dirty leads that
        the lake does not know.
    """
    _score_again_if_the_plan_is_gone(ws, run_key)
    with ws.ledger.reading() as connection:
        run = runs.find(connection, run_key)
        card = activations.card_of(connection, run.scorecard, run.activation_seq)
        if run.kind == runs.THRESHOLDS:
            rows = judged_again(connection, card)
        else:
            results, old_card = _results(ws, connection, run)
            asked = None if run.full else results["lead"].to_pylist()
            committed = stage.committed(connection, run.scorecard, asked)
            rows = compare(card, results, committed, old_card=old_card)
    rows = with_causes(ws, run, card, rows)
    counts = Counter({"staged": rows.num_rows, "different": pc.sum(rows["changed"]).as_py() or 0})
    with ws.ledger.transaction() as connection:
        rows = _without_erased(rows, tombstones.since(connection, run.started_at))
        stage.stage(connection, run, rows)
        if run.kind != runs.THRESHOLDS:
            counts["absent"] = runs.settle_absent(connection, run)
        runs.add_counts(connection, run_key, counts)
    return counts


def _without_erased(rows: pa.Table, erased: Erased) -> pa.Table:
    """The rows of those who were not erased after this run had read their facts."""
    if not erased:
        return rows
    return rows.filter(pa.array([not erased.lead(lead) for lead in rows["lead"].to_pylist()], pa.bool_()))


def _score_again_if_the_plan_is_gone(ws: Workspace, run_key: str) -> None:
    """Another run has applied the plan meanwhile and cleared it away: this one computes its own results."""
    with ws.ledger.reading() as connection:
        run = runs.find(connection, run_key)
    if run.kind == runs.RESCORE and run.plan_hash is not None and usable_plan(ws, run.plan_hash) is None:
        score(ws, run_key)


def _results(ws: Workspace, connection: Connection, run: Run) -> tuple[pa.Table, Scorecard | None]:
    """What a run computed; or what its plan did, with the old rules that the plan compares with."""
    plan = None if run.plan_hash is None else usable_plan(ws, run.plan_hash)
    if plan is None or plan.old.number is None:
        return ws.lake.read_results(run.run_key), None
    old_card = registry.card(connection, run.scorecard, plan.old.number)
    return pq.read_table(plan_results(ws, plan.plan_hash)), old_card


def compare(
    card: Scorecard, results: pa.Table, committed: pa.Table, *, old_card: Scorecard | None = None
) -> pa.Table:
    """One row of `STAGED` per result; `changed` when score, band, grade or a dimension differs.

    Reasons are written for changed leads only: they follow a score and never cause a write. Results of a
    plan also have the columns of `old_card`; they become `under_old_rules`.
    """
    results = results.append_column("dimensions", dimensions_json(card, results))
    old = committed.select(["lead", *COMPARED]).rename_columns(
        ["lead", *(f"old_{name}" for name in COMPARED)]
    )
    joined = results.join(old, keys="lead", join_type="left outer")
    same = pa.repeat(True, joined.num_rows)
    for name in COMPARED:
        same = pc.and_(same, _same(joined[name], joined[f"old_{name}"]))
    changed = pc.invert(pc.and_(same, pc.is_valid(joined["old_dimensions"])))
    joined = joined.append_column("changed", changed)
    return pa.table(
        {
            "lead": joined["lead"],
            "score": joined["score"],
            "band": joined["band"],
            "dimensions": joined["dimensions"],
            "reasons": _reasons(card, joined),
            "changed": joined["changed"],
            "flags": flags_json(card, joined),
            "under_old_rules": _under(old_card, joined),
            "grade": joined["grade"],
            "restarted_at": pc.assume_timezone(joined["restarted_at"], "UTC"),
            "withheld": _withheld(joined),
        },
        schema=STAGED,
    ).sort_by("lead")


def _withheld(results: pa.Table) -> pa.Array | pa.ChunkedArray:
    """Results have the column only where some lead of the lake is marked."""
    there = withheld.COLUMN in results.column_names
    return results[withheld.COLUMN] if there else pa.nulls(results.num_rows, pa.string())


def _under(old_card: Scorecard | None, results: pa.Table) -> pa.Array | pa.ChunkedArray:
    """Each row under the old rules at the same moment, as JSON: score, band, grade, dimensions."""
    if old_card is None:
        return pa.nulls(results.num_rows, pa.string())
    said = ['{"score":', number_json(results[OLD + "score"])]
    for name in ("band", "grade"):
        if OLD + name in results.column_names:
            said += [f',"{name}":', text_json(results[OLD + name])]
    said += [',"dimensions":', dimensions_json(old_card, results, OLD), "}"]
    return pc.binary_join_element_wise(*said, "")


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    """Equal, where two nulls are equal too."""
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(both_null, pc.fill_null(pc.equal(left, right), False))


def _reasons(card: Scorecard, rows: pa.Table) -> pa.Array:
    texts = ["[]"] * rows.num_rows
    positions = iter(pc.indices_nonzero(rows["changed"]).to_pylist())
    for batch in rows.filter(rows["changed"]).to_batches(max_chunksize=ROWS_AT_ONCE):
        for row, position in zip(batch.to_pylist(), positions, strict=False):
            texts[position] = json.dumps(top_reasons(card, row), ensure_ascii=False, separators=(",", ":"))
    return pa.array(texts, pa.string())
