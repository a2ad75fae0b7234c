"""A plan without a server: two rules files over an export, as if the old rules had scored it just now."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from rescore.errors import InputUnreadable
from rescore.ledger.rules.record import ARMINGS, COMMITTED, Record
from rescore.plan.assemble import Setting, assemble
from rescore.plan.columns import true_where
from rescore.plan.effects import Both
from rescore.plan.plan import Plan, Version
from rescore.plan.plan_hash import meaning_of, plan_hash_of
from rescore.plan.scores import scored
from rescore.policy.limits import Limits
from rescore.progress import Progress, silent
from rescore.rules.card import Scorecard
from rescore.scoring.as_json import dimensions_json
from rescore.scoring.facts import Facts, facts_from_files
from rescore.scoring.pair import OLD
from rescore.scoring.sql import table


def plan_from_files(
    old: Scorecard,
    new: Scorecard,
    *,
    leads: Path,
    activities: Path,
    as_of: datetime,
    at: datetime,
    by: str,
    limits: Limits,
    split: str | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan an edit over an export; nothing is written anywhere.

    What is committed is taken to be what the old rules give at `as_of`, with every automation in the state
    that its condition says.

    Raises:
        InputUnreadable: A file is not there or is not what its name says, the files are of two scorecards, or
            no lead has the attribute `split`.
    """
    if old.id != new.id:
        raise InputUnreadable(f"the rules are of `{old.id}` and of `{new.id}`: two scorecards, not an edit")
    progress(f"{new.id}: reading {leads.name} and {activities.name}")
    facts = facts_from_files(leads, activities)
    snapshot = {"leads": _sha256(leads), "activities": _sha256(activities)}
    progress(f"{new.id}: scoring everybody under both versions")
    with tempfile.TemporaryDirectory() as folder:
        both = scored(old, new, facts, as_of=as_of, path=f"{folder}/scores.parquet")

    @contextmanager
    def some(keys: Collection[str]) -> Iterator[Facts]:
        with _only(facts, keys) as few:
            yield few

    setting = Setting(
        plan_hash=plan_hash_of(old, new, snapshot, as_of),
        old=Version(None, meaning_of(old)),
        new=Version(None, meaning_of(new)),
        as_of=as_of,
        snapshot=snapshot,
        at=at,
        by=by,
        limits=limits,
    )
    record = _as_scored_by_old(both)
    return assemble(setting, both, record, {}, facts=facts, some=some, split=split, progress=progress)


def _as_scored_by_old(both: Both) -> Record:
    """The state of record if the old rules had just scored everybody."""
    rows, old = both.rows, both.old
    side = pa.table({each.id: rows[OLD + each.id] for each in old.dimensions})
    grade = both.old_column("grade")
    committed = pa.table(
        {
            "lead": rows["lead"],
            "score": rows[OLD + "score"],
            "band": rows[OLD + "band"],
            "grade": pa.nulls(rows.num_rows, pa.string()) if grade is None else grade,
            "dimensions": dimensions_json(old, side),
            "judged_by": pa.repeat(1, rows.num_rows),
            "ver": pa.repeat(1, rows.num_rows),
        }
    )
    fired = []
    for automation in old.automations:
        fires = true_where(automation.fire_when, both.old_column, rows.num_rows)
        names = rows["lead"].filter(pc.and_(fires, pc.is_valid(rows[OLD + "score"])))
        told = [names, pa.repeat(automation.id, len(names)), pa.repeat("fired", len(names))]
        fired.append(pa.table([*told, pa.repeat(1, len(names))], names=ARMINGS.names).cast(ARMINGS))
    return Record(
        input_ver=0,
        may_fire=True,
        committed=committed.cast(COMMITTED),
        armings=pa.concat_tables(fired) if fired else ARMINGS.empty_table(),
        born={automation.id: 1 for automation in old.automations},
        restarted_at={},
        facts_until={},
        last_fired={},
        accounts_fired={},
        since={},
    )


@contextmanager
def _only(facts: Facts, keys: Collection[str]) -> Iterator[Facts]:
    """The facts of a few leads, as views of what was read."""
    connection = facts.connection
    connection.from_arrow(pa.table({"lead": pa.array(list(keys), pa.string())})).create("asked")
    own = replace(facts, activities="activities of some", leads="leads of some", parts=())
    try:
        for source, name in ((facts.activities, own.activities), (facts.leads, own.leads)):
            rows = f"FROM {table(source).sql('duckdb')} SEMI JOIN asked USING (lead)"
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {table(name).sql('duckdb')} AS {rows}")
        yield own
    finally:
        connection.execute("DROP TABLE asked")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
