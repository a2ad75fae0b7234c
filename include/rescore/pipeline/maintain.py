"""Keeps both stores small: whatever has done its work, and that nobody looks back at any more, goes.

Every step may be the last one that a crash lets through. The next call finds what is left, because each looks
at what there is and none at what an earlier one has done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from rescore.errors import LakeBehind, LedgerBusy
from rescore.ledger import retention as ledger_retention
from rescore.ledger.transaction import Ledger
from rescore.pipeline.shadow import results_key as shadow_key
from rescore.plan.make import results_key as plan_key
from rescore.plan.old_reports import drop_old_reports
from rescore.policy.file import read_policy
from rescore.policy.retention import Retention
from rescore.progress import Progress, silent
from rescore.whole_lake import lake_behind
from rescore.workspace import Workspace

ROWS_A_TRANSACTION = 1_000
"""Nobody else waits for longer than these take."""

WORTH_COMPACTING = 0.25
"""From this share of free pages on a SQLite file is rewritten; free pages are used again in any case."""


def maintain(
    ws: Workspace, *, at: datetime, chunk: int = ROWS_A_TRANSACTION, progress: Progress = silent
) -> Counter[str]:
    """Forget what the policy's `retention:` says, in both stores and in the reports folder.

    Others may land, read, score and send at the same time.

    Args:
        ws: The stores.
        at: The present (aware): ages are counted from here.
        chunk: At most so many rows a transaction.
        progress: Told after every table and every store.

    Returns:
        Counts: rows by table (`deltas`, `runs`, ...), `runs given up`, `bodies emptied`, `results`,
        `reports`, and what the lake merged and dropped: `files dropped`, `bytes dropped`, `log entries
        dropped`, ...

    Raises:
        PolicyInvalid: The times cannot be read.
        LakeBehind: The lake is not the one that the ledger speaks of; none of its files was dropped.
        RetryableError: A store was too busy; the next call goes on.
    """
    keep = read_policy(ws.policy_file).retention
    counts = _forget_rows(ws.ledger, keep, at, chunk, progress)
    if why := lake_behind(ws):
        raise LakeBehind(f"{why}; none of its files is dropped, `rescore restored` says what to do")
    counts += _drop_files(ws, keep, at)
    progress(
        f"files of runs and reports: {counts['results']:,} results, {counts['reports']:,} reports dropped"
    )
    counts += ws.lake.tidy(at=at, old_files=keep.old_files, waiting=keep.waiting, set_aside=keep.set_aside)
    progress(f"lake: {counts['files dropped']:,} files, {counts['bytes dropped']:,} bytes dropped")
    return counts + _compact(ws.ledger)


def _forget_rows(
    ledger: Ledger, keep: Retention, at: datetime, chunk: int, progress: Progress
) -> Counter[str]:
    counts: Counter[str] = Counter()
    with ledger.reading() as connection:
        dead = ledger_retention.dead_runs(connection, keep, at)
    for key in dead:
        counts["runs given up"] += ledger.in_transaction(
            partial(ledger_retention.give_up, run_key=key, retention=keep, at=at)
        )
    counts["bodies emptied"] = _by_chunks(
        ledger, partial(ledger_retention.empty_bodies, retention=keep, at=at, limit=chunk), chunk
    )
    for gone in ledger_retention.expired(keep, at):
        some = partial(ledger_retention.delete_some, gone=gone, limit=chunk)
        counts[gone.what] = _by_chunks(ledger, some, chunk)
        if counts[gone.what]:
            progress(f"ledger: {counts[gone.what]:,} {gone.what} deleted")
    with ledger.reading() as connection:
        old = ledger_retention.old_runs(connection, keep, at)
    for start in range(0, len(old), chunk):
        keys = old[start : start + chunk]
        counts["runs"] += ledger.in_transaction(
            partial(ledger_retention.delete_runs, keys=keys, retention=keep, at=at)
        )
    return +counts


def _by_chunks(ledger: Ledger, some: Callable[[Connection], int], chunk: int) -> int:
    total = 0
    while True:
        done = ledger.in_transaction(some)
        total += done
        if done < chunk:
            return total


def _drop_files(ws: Workspace, keep: Retention, at: datetime) -> Counter[str]:
    """What is young stays anyway: somebody may have written it since we asked the ledger."""
    with ws.ledger.reading() as connection:
        plans = ledger_retention.plans_in_use(connection)
        runs = ledger_retention.runs_in_use(connection)
        runs |= {shadow_key(run) for run in ledger_retention.shadow_runs(connection)}
    runs |= {plan_key(plan) for plan in plans}
    return Counter(
        results=ws.lake.drop_old_results(before=at - keep.stages, but=runs),
        reports=drop_old_reports(ws.reports_dir, before=at - keep.plans, but=plans),
    )


def _compact(ledger: Ledger) -> Counter[str]:
    with ledger.reading() as connection:
        free = ledger_retention.free_share(connection)
    if free < WORTH_COMPACTING:
        return Counter()
    try:
        ledger.compact()
    except LedgerBusy:  # its free pages are used again, so there is no hurry
        return Counter({"ledger too busy to compact": 1})
    return Counter({"ledger compacted": 1})
