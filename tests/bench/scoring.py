"""What is measured of scoring: the full rescore, a small part of it, a Python loop, and memory."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rescore.scoring.engine import score_to_parquet
from tests.bench.card import bench_card
from tests.bench.timing import interleaved
from tests.bench.world import AS_OF, World, make_world
from tests.support.reference import reference_scores

HANDWRITTEN = Path(__file__).with_name("handwritten.sql").read_text()
SHARE = 0.001
SAMPLE = 500


def full_rescore(world: World, turns: int) -> Iterator[str]:
    """Everybody, all rule columns written out, against hand-written SQL over the same files."""
    card, facts = bench_card(), world.facts()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = f"{folder}/ours.parquet", f"{folder}/theirs.parquet"
        copy = f"COPY ({HANDWRITTEN}) TO '{theirs}' (FORMAT parquet, COMPRESSION zstd)"
        timed = interleaved(
            {
                "hand-written SQL": lambda: facts.connection.execute(copy).fetchall(),
                "engine": lambda: score_to_parquet(card, facts, as_of=AS_OF, path=ours),
            },
            turns=turns,
        )
        same = _sorted(ours).equals(_sorted(theirs))
    assert same, "the hand-written SQL and the engine disagree"
    yield f"Full rescore of {world.leads:,} leads, {world.activities:,} activities, 30 rules (goal 1.1):"
    yield from timed.lines()
    yield "  every value is the same, integer for integer"


def part_of_it(world: World, turns: int) -> Iterator[str]:
    """A thousandth of the leads, opened and scored as an incremental run does."""
    card, asked = bench_card(), world.some_leads(SHARE)
    with tempfile.TemporaryDirectory() as folder:
        everybody, some = f"{folder}/everybody.parquet", f"{folder}/some.parquet"
        timed = interleaved(
            {
                "everybody": lambda: score_to_parquet(card, world.facts(), as_of=AS_OF, path=everybody),
                f"{len(asked):,} leads": lambda: score_to_parquet(
                    card, world.facts(asked), as_of=AS_OF, path=some
                ),
            },
            turns=turns,
        )
        whole, part = _sorted(everybody), _sorted(some)
    index = pc.index_in(part["lead"], whole["lead"])
    assert whole.take(index).equals(part), "a lead scored in a small run differs"
    yield f"Incremental, {SHARE:.1%} of the leads (goal 0.1):"
    yield from timed.lines()


def python_loop(world: World, turns: int) -> Iterator[str]:
    """The per-lead reference scorer on a sample, extrapolated to everybody."""
    card, asked = bench_card(), world.some_leads(SAMPLE / world.leads)
    facts = world.facts(asked)
    leads = facts.connection.table(facts.leads).to_arrow_table().to_pylist()
    activities = facts.connection.table(facts.activities).to_arrow_table().to_pylist()
    began = time.perf_counter()
    expected = reference_scores(card, leads, activities, as_of=AS_OF)
    loop = (time.perf_counter() - began) * world.activities / len(activities)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/some.parquet"
        score_to_parquet(card, facts, as_of=AS_OF, path=path)
        assert _sorted(path).to_pylist() == sorted(expected, key=lambda row: row["lead"])
        began = time.perf_counter()
        score_to_parquet(card, world.facts(), as_of=AS_OF, path=path)
        engine = time.perf_counter() - began
    yield f"Per-lead Python loop (extrapolated from {len(leads)} leads with {len(activities):,} activities):"
    yield f"  about {loop:,.0f} s without loading, {loop / engine:,.0f} times the engine's {engine:.2f} s"


def peak_memory(world: World, turns: int) -> Iterator[str]:
    """A full rescore in a process of its own."""
    size = world.folder.name.rpartition("-")[2]
    command = [sys.executable, "-m", "tests.bench.scoring", size]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    yield f"Peak memory of a full rescore: {int(done.stdout) / 1024:,.0f} MiB"


BENCHMARKS = [full_rescore, part_of_it, python_loop, peak_memory]


def _sorted(path: str) -> pa.Table:
    table = pq.read_table(path).sort_by("lead")
    return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))


def _rescore_once(size: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        score_to_parquet(bench_card(), make_world(size).facts(), as_of=AS_OF, path=f"{folder}/all.parquet")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    _rescore_once(sys.argv[1])
