"""A version that scores every run beside the one in force: it writes nothing, and fires nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from rescore.errors import InputUnreadable, ScorecardInvalid, TerminalError
from rescore.ledger import tables
from rescore.ledger.rules import activations, registry, shadows
from rescore.ledger.scores import seen
from rescore.ledger.scores.runs import Run
from rescore.plan.make import plan_results
from rescore.progress import Progress, silent
from rescore.rules.examples import failed_examples
from rescore.rules.lists import NO_LISTS, ListFiles, sha256_of
from rescore.rules.load import load_scorecard
from rescore.scoring.engine import score_to_parquet
from rescore.scoring.fields import fields_asked
from rescore.workspace import Workspace

COLUMNS = ["lead", "score", "band"]
"""What is kept of each of the two scores."""


def start_shadow_file(
    ws: Workspace,
    scorecard: str,
    *,
    body: bytes,
    name: str,
    at: datetime,
    by: str,
    lists: ListFiles = NO_LISTS,
) -> int:
    """Register a rules file as a shadow and let it score from the next run on; its version number.

    Raises:
        ScorecardInvalid: The file or one of its examples does not hold.
        InputUnreadable: It is of another scorecard, or the scorecard is not in force, or this is the
            version in force.
    """
    card = load_scorecard(body, name=name, lists=lists)
    if card.id != scorecard:
        raise InputUnreadable(f"{name} is the scorecard `{card.id}`, not `{scorecard}`")
    if problems := failed_examples(card):
        raise ScorecardInvalid([f"{name}:{said.line}:{said.column}: {said.message}" for said in problems])
    table = tables.rules_version
    sha256 = sha256_of(body, lists)
    with ws.ledger.transaction() as connection:
        same = select(table.c.seq).where(table.c.scorecard == scorecard, table.c.sha256 == sha256)
        version = connection.scalar(same)
        if version is None:
            version = registry.register(
                connection, card=card, body=body, path=f"shadow/{name}", at=at, by=by, lists=lists
            )
            registry.set_status(connection, scorecard, version, registry.SHADOW)
    start_shadow(ws, scorecard, version=version, at=at, by=by)
    return version


def start_shadow(ws: Workspace, scorecard: str, *, version: int, at: datetime, by: str) -> None:
    """Let a registered version score every run from the next one on, in place of an earlier shadow.

    Raises:
        InputUnreadable: The scorecard is not in force, has no such version, or this is the one in force.
        ScorecardInvalid: The version was rejected.
    """
    with ws.ledger.transaction() as connection:
        active = activations.active(connection, scorecard)
        if active is None:
            raise InputUnreadable(f"no scorecard `{scorecard}` is in force; there is nothing to compare with")
        registry.card(connection, scorecard, version)
        if active.version_seq == version:
            raise InputUnreadable(f"version {version} of `{scorecard}` is in force; a shadow is another one")
        earlier = shadows.shadow_of(connection, scorecard)
        shadows.start(connection, scorecard, version, at=at, by=by)
    if earlier is not None and earlier.version_seq != version:
        _forget(ws, scorecard)


def stop_shadow(ws: Workspace, scorecard: str) -> int:
    """Stop comparing, and drop what was compared; the version that was the shadow.

    Raises:
        InputUnreadable: The scorecard has no shadow.
    """
    with ws.ledger.transaction() as connection:
        shadow = shadows.shadow_of(connection, scorecard)
        if shadow is None:
            raise InputUnreadable(f"scorecard `{scorecard}` has no shadow version; nothing to stop")
        shadows.stop(connection, scorecard)
    _forget(ws, scorecard)
    return shadow.version_seq


def score_shadow(
    ws: Workspace, run: Run, leads: Collection[str] | None, *, progress: Progress = silent
) -> None:
    """Score what a run scored under the shadow version too, from the same facts; never harms the run.

    Args:
        ws: The stores.
        run: A run whose results are there.
        leads: The leads it was asked about; None for everybody.
        progress: Told how it went.
    """
    with ws.ledger.reading() as connection:
        shadow = shadows.shadow_of(connection, run.scorecard)
        active = None if shadow is None else activations.active(connection, run.scorecard)
    if shadow is None or active is None or active.version_seq == shadow.version_seq:
        return
    count, failure = None, None
    try:
        count = _score(ws, run, shadow.version_seq, leads)
        progress(f"{run.scorecard}: {count:,} leads scored under shadow version {shadow.version_seq} too")
    except Exception as problem:
        failure = type(problem).__name__
        progress(f"{run.scorecard}: shadow version {shadow.version_seq} failed ({failure}); the run goes on")
    with ws.ledger.transaction() as connection:
        shadows.note_run(connection, run, shadow.version_seq, leads=count, failure=failure)
    if run.full and failure is None:
        _forget(ws, run.scorecard, before=run)


def results_key(run_key: str) -> str:
    """Under which key the lake keeps what was compared of a run."""
    return f"shadow/{run_key}"


def _score(ws: Workspace, run: Run, version: int, leads: Collection[str] | None) -> int:
    with ws.ledger.reading() as connection:
        card = registry.card(connection, run.scorecard, version)
        noted = seen.of_run(connection, run.run_key)
    path = ws.lake.results_path(results_key(run.run_key))
    with ws.lake.facts(leads, fields=fields_asked(card), known_as_of=noted) as facts:
        score_to_parquet(card, facts, as_of=run.as_of, path=path)
    theirs = pq.read_table(path, columns=COLUMNS).rename_columns(["lead", "shadow_score", "shadow_band"])
    both = _ours(ws, run).join(theirs, keys="lead", join_type="inner")
    pq.write_table(both, path, compression="zstd")
    return int(both.num_rows)


def _ours(ws: Workspace, run: Run) -> pa.Table:
    try:
        return ws.lake.read_results(run.run_key, COLUMNS)
    except TerminalError:
        if run.plan_hash is None:
            raise
        return pq.read_table(plan_results(ws, run.plan_hash), columns=COLUMNS)


def _forget(ws: Workspace, scorecard: str, *, before: Run | None = None) -> None:
    """Drop what was compared before a run over everybody, or all of it."""
    with ws.ledger.transaction() as connection:
        gone = [
            run.run_key
            for run in shadows.runs_of(connection, scorecard)
            if before is None or (run.as_of <= before.as_of and run.run_key != before.run_key)
        ]
        shadows.forget_runs(connection, gone)
    for run_key in gone:
        ws.lake.drop_results(results_key(run_key))
