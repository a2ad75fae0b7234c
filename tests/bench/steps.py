"""What is measured of whole steps: a plan, and a run for few leads, against a rescore up to its gate."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from rescore.automations.score_conditions import test_of
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.rules import activations, registry
from rescore.ledger.scores.marks import mark_dirty
from rescore.ledger.transaction import Ledger
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.score import score as score_run
from rescore.pipeline.score import start_runs
from rescore.plan.make import make_plan
from rescore.plan.plan import Plan
from rescore.rules.card import Scorecard
from rescore.rules.load import load_scorecard
from rescore.scoring.engine import score, score_to_parquet
from rescore.workspace import Workspace
from tests.bench.timing import interleaved
from tests.bench.world import AS_OF, SHARE, World
from tests.support.main_job import MAPPINGS

RULES = Path(__file__).with_name("bench.yaml").read_bytes()
EDITED = RULES.replace(b"type_05, points: 2.25", b"type_05, points: 5")
BEFORE = AS_OF - timedelta(hours=1)


def plan(world: World, turns: int) -> Iterator[str]:
    """One rule's points are edited; the state of record is an hour old.

    A plan does what a rescore does up to its gate, and for both versions; so that is the baseline. What
    scoring alone takes is told beside it.
    """
    with tempfile.TemporaryDirectory() as folder, _deployment(world, Path(folder)) as ws:
        made: list[Plan] = []
        timed = interleaved(
            {
                "one full rescore, score to deltas": lambda: _rescore(ws),
                "plan": lambda: made.append(_plan(ws)),
                "the rescore's scoring alone": lambda: _score(ws, f"{folder}/scores.parquet"),
            },
            turns=turns,
        )
    yield f"Plan of an edit for {world.leads:,} leads, {world.activities:,} activities (goal 2.2):"
    yield from timed.lines()
    yield f"  {made[-1].opening_line()}"


def incremental_run(world: World, turns: int) -> Iterator[str]:
    """The run every quarter of an hour against a rescore of everybody, both up to the gate."""
    asked = world.some_leads(SHARE)
    with tempfile.TemporaryDirectory() as folder, _deployment(world, Path(folder)) as ws:
        with ws.ledger.transaction() as connection:
            connection.execute(tables.control.update().values(full_pass_date=AS_OF.date()))
            mark_dirty(connection, "bench", dict.fromkeys(asked, AS_OF), 1)
        timed = interleaved(
            {
                "a rescore, score to deltas": lambda: _rescore(ws),
                f"a run for {len(asked):,} leads": lambda: _run(ws, "some", everybody=False),
            },
            turns=turns,
        )
        whole, part = _staged(ws, "bench/bench"), _staged(ws, "some/bench")
    assert part.keys() == set(asked), "a lead is missing"
    assert part.items() <= whole.items(), "a lead staged in a small run differs"
    yield f"A run for {SHARE:.1%} of {world.leads:,} leads, start to staged deltas (goal 0.1):"
    yield from timed.lines()
    yield "  every staged row is the same"


BENCHMARKS = [plan, incremental_run]


def _plan(ws: Workspace) -> Plan:
    new = load_scorecard(EDITED, name="bench.yaml")
    return make_plan(
        ws, scorecard="bench", new=new, new_version=None, as_of=AS_OF, at=AS_OF, by="bench", split="country"
    )


def _rescore(ws: Workspace) -> None:
    """A rescore of everybody as the DAG does it, up to the gate: scored, compared, staged."""
    _run(ws, "bench", everybody=True)


def _run(ws: Workspace, run_id: str, *, everybody: bool) -> None:
    [key] = start_runs(ws, run_id=run_id, as_of=AS_OF, at=AS_OF, everybody=everybody)
    score_run(ws, key)
    stage_deltas(ws, key)


def _staged(ws: Workspace, run_key: str) -> dict[str, tuple[Any, ...]]:
    """By lead, what a run would make the state of record."""
    table = tables.stage_score
    chosen = [table.c[name] for name in ("lead", "score", "band", "dimensions", "reasons", "causes")]
    with ws.ledger.reading() as connection:
        rows = connection.execute(select(*chosen).where(table.c.run_key == run_key)).all()
    return {row.lead: tuple(row) for row in rows}


def _score(ws: Workspace, path: str) -> None:
    """The step of it that computes scores."""
    with ws.lake.facts() as facts:
        score_to_parquet(load_scorecard(RULES, name="bench.yaml"), facts, as_of=AS_OF, path=path)


@contextmanager
def _deployment(world: World, folder: Path) -> Iterator[Workspace]:
    """The world's lake beside a ledger in which everybody is scored."""
    with closing(Ledger(f"sqlite:///{folder}/ledger.db")) as ledger:
        migrate(ledger)
        policy = MAPPINGS.with_name("policy.yaml")
        ws = Workspace(ledger, world.lake, folder, MAPPINGS, folder / "reports", policy)
        card = load_scorecard(RULES, name="bench.yaml")
        with ledger.transaction() as connection:
            version = registry.register(
                connection, card=card, body=RULES, path="bench.yaml", at=BEFORE, by="bench"
            )
            activations.activate(connection, card=card, version_seq=version, at=BEFORE, by="bench")
            connection.execute(tables.control.update().values(first_load_done=True))
            connection.execute(tables.activation.update().values(rescored_at=BEFORE))
        with world.lake.facts() as facts:
            rows = score(card, facts, as_of=BEFORE).to_pylist()
        with ledger.transaction() as connection:
            connection.execute(tables.score.insert(), [_committed(row) for row in rows])
            connection.execute(tables.arming.insert(), list(_armings(card, rows)))
        yield ws


def _committed(row: Mapping[str, Any]) -> dict[str, Any]:
    dimensions = {name: row[name] for name in ("engagement", "fit")}
    return {
        "scorecard": "bench",
        "lead": row["lead"],
        "score": row["score"],
        "band": row["band"],
        "dimensions": json.dumps(dimensions, separators=(",", ":")),
        "reasons": "[]",
        "activation_seq": 1,
        "as_of": BEFORE,
        "input_ver": 0,
        "ver": 1,
        "changed_at": BEFORE,
    }


def _armings(card: Scorecard, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for automation in card.automations:
        fires = test_of(automation.fire_when)
        for row in rows:
            if fires(row):
                standing = {"state": "fired", "n": 1, "since": BEFORE}
                yield {"scorecard": "bench", "automation": automation.id, "lead": row["lead"], **standing}
