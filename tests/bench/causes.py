"""What is measured of causes: telling why scores changed, against the full rescore that found them."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import insert

from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.rules import activations, registry
from rescore.ledger.scores import runs, seen
from rescore.ledger.scores.runs import Run
from rescore.ledger.transaction import Ledger
from rescore.pipeline.causes import with_causes
from rescore.scoring.engine import score, score_to_parquet
from rescore.workspace import Workspace
from tests.bench.card import bench_card
from tests.bench.timing import interleaved
from tests.bench.world import AS_OF, SHARE, World

CARD = bench_card()
HOUR = timedelta(hours=1)


def causes(world: World, turns: int) -> Iterator[str]:
    """The leads with news, an hour after they were scored; and everybody, a day after."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ledgers:
        contenders = {"full rescore": partial(_rescore, world, f"{folder}/all.parquet")}
        for name, asked, ago in (
            ("with news", world.some_leads(SHARE), HOUR),
            ("a day later", None, 24 * HOUR),
        ):
            ledger = ledgers.enter_context(closing(Ledger(f"sqlite:///{folder}/{ago.days}.db")))
            migrate(ledger)
            ws = Workspace(ledger, world.lake, *[Path(folder)] * 4)
            run, rows = _committed(ws, asked, ago)
            _check(with_causes(ws, run, CARD, rows))
            changed = f"{pc.sum(rows['changed']).as_py():,} of {rows.num_rows:,} {name}"
            contenders[changed] = partial(with_causes, ws, run, CARD, rows)
        timed = interleaved(contenders, turns=turns)
    yield f"Causes of the changed scores of {world.leads:,} leads, beside the rescore that found them:"
    yield from timed.lines()
    yield "  every change is the sum of its causes"


BENCHMARKS = [causes]


def _rescore(world: World, path: str) -> None:
    with world.lake.facts() as facts:
        score_to_parquet(CARD, facts, as_of=AS_OF, path=path)


def _committed(ws: Workspace, asked: list[str] | None, ago: timedelta) -> tuple[Run, pa.Table]:
    """A ledger with the scores of before, and what a run of now stages: lead, score, changed."""
    with ws.lake.facts([]) as facts:
        now = facts.seen
    before = {**now, "activities": now["activities"] - 1}
    with ws.lake.facts(asked, known_as_of=before) as facts:
        old = score(CARD, facts, as_of=AS_OF - ago).select(["lead", "score"])
    with ws.lake.facts(asked) as facts:
        new = score(CARD, facts, as_of=AS_OF).select(["lead", "score"])
    rows = new.join(old.rename_columns(["lead", "old"]), keys="lead").sort_by("lead")
    changed = pc.invert(pc.fill_null(pc.equal(rows["score"], rows["old"]), False))
    with ws.ledger.transaction() as connection:
        version = registry.register(connection, card=CARD, body=b"-", path="bench.yaml", at=AS_OF, by="bench")
        activations.activate(connection, card=CARD, version_seq=version, at=AS_OF, by="bench")
        earlier = _run(connection, "earlier", AS_OF - ago, before)
        run = _run(connection, "now", AS_OF, now)
        made = {"scorecard": CARD.id, "dimensions": "{}", "reasons": "[]", "activation_seq": 1, "ver": 1}
        made |= {"as_of": earlier.as_of, "input_ver": 0, "changed_at": earlier.as_of}
        connection.execute(insert(tables.score), [made | row for row in old.to_pylist()])
    return run, rows.drop_columns(["old"]).append_column("changed", changed)


def _run(connection, key, as_of, state) -> Run:
    kind = {"kind": runs.DAILY, "activation_seq": 1}
    run = runs.start_run(connection, run_key=key, scorecard=CARD.id, as_of=as_of, at=as_of, **kind)
    seen.note(connection, key, state)
    return run


def _check(told: pa.Table) -> None:
    for row in told.filter(told["changed"]).to_pylist():
        assert sum(json.loads(row["causes"]).values()) == (row["score"] or 0) - (row["old_score"] or 0), row
