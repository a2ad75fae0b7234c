"""What is measured of scoring: the full rescore, a small part of it, a Python loop, and memory."""

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rescore.scoring.engine import score_to_parquet
from rescore.scoring.fields import fields_asked
from tests.bench.card import bench_card
from tests.bench.timing import interleaved
from tests.bench.world import AS_OF, NEWS, SHARE, World, make_world
from tests.support.reference import reference_scores

HANDWRITTEN = Path(__file__).with_name("handwritten.sql").read_text()
SAMPLE = 500


def full_rescore(world: World, turns: int) -> Iterator[str]:
    """Everybody, all rule columns written out, against hand-written SQL over the same files."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = f"{folder}/ours.parquet", f"{folder}/theirs.parquet"
        timed = interleaved(
            {
                "hand-written SQL": lambda: _by_hand(world, theirs),
                "Rescore": lambda: _rescore(world, ours),
            },
            turns=turns,
        )
        assert _sorted(ours).equals(_sorted(theirs)), "the hand-written SQL and Rescore disagree"
    yield f"Full rescore of {world.leads:,} leads, {world.activities:,} activities, 30 rules (goal 1.1):"
    yield from timed.lines()
    yield "  every value is the same, integer for integer"


def incremental(world: World, turns: int) -> Iterator[str]:
    """A thousandth of the leads, those with news in the inbox, opened and scored as a run does."""
    asked = world.some_leads(SHARE)
    with tempfile.TemporaryDirectory() as folder:
        everybody, some = f"{folder}/everybody.parquet", f"{folder}/some.parquet"
        timed = interleaved(
            {
                "everybody": lambda: _rescore(world, everybody),
                f"{len(asked):,} leads": lambda: _rescore(world, some, asked),
            },
            turns=turns,
        )
        whole, part = _sorted(everybody), _sorted(some)
    index = pc.index_in(part["lead"], whole["lead"])
    assert len(part) == len(asked), "a lead is missing"
    assert whole.take(index).equals(part), "a lead scored in a small run differs"
    yield f"Incremental, {SHARE:.1%} of the leads with {NEWS} new activities each (goal 0.1):"
    yield from timed.lines()
    yield "  every value is the same, integer for integer"


def python_loop(world: World, turns: int) -> Iterator[str]:
    """The per-lead reference scorer on a sample, extrapolated to everybody."""
    card, asked = bench_card(), world.some_leads(SAMPLE / world.leads)
    with world.lake.facts(asked) as facts:
        leads, activities = (
            facts.connection.table(name).to_arrow_table().to_pylist()
            for name in (facts.leads, facts.activities)
        )
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/scores.parquet"
        _rescore(world, path, asked)
        expected = reference_scores(card, leads, activities, as_of=AS_OF)
        assert _sorted(path).to_pylist() == sorted(expected, key=lambda row: row["lead"])
        timed = interleaved(
            {
                "Rescore": lambda: _rescore(world, path),
                "loop": lambda: reference_scores(card, leads, activities, as_of=AS_OF),
            },
            turns=min(turns, 3),
        )
    rescore, sample = (statistics.median(timed.wall[name]) for name in ("Rescore", "loop"))
    loop = sample * world.activities / len(activities)
    yield f"Per-lead Python loop, on {len(leads)} leads with {len(activities):,} activities (goal 30):"
    yield f"  to everybody about {loop:,.0f} s, loading not counted: {loop / rescore:,.0f} times Rescore's"


def peak_memory(world: World, turns: int) -> Iterator[str]:
    """A full rescore in a process of its own."""
    # through a shell: Linux counts what we held ourselves against a process that we start directly
    script = '"$0" -m tests.bench.scoring "$1"; exit $?'
    command = ["sh", "-c", script, sys.executable, world.size]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    yield f"Peak memory of a full rescore: {int(done.stdout) / 1024:,.0f} MiB"


BENCHMARKS = [full_rescore, incremental, python_loop, peak_memory]


def _rescore(world: World, path: str, leads: Collection[str] | None = None) -> None:
    """What the step `score` of a run does, from opening the lake to the written results."""
    with world.lake.facts(leads, fields=fields_asked(bench_card())) as facts:
        score_to_parquet(bench_card(), facts, as_of=AS_OF, path=path)


@cache
def _expert() -> duckdb.DuckDBPyConnection:
    """The database that the hand-written SQL keeps from turn to turn, as Rescore keeps its own."""
    connection = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    return connection


def _by_hand(world: World, path: str) -> None:
    """The same from opening the table to the written results, in the hands of a DuckDB expert."""
    with _expert().cursor() as connection:
        for name in ("activities", "leads"):
            files = ", ".join(f"'{file}'" for file in world.files(name))
            connection.execute(
                f"CREATE TEMP VIEW {name} AS FROM read_parquet([{files}], hive_partitioning = false)"
            )
        connection.execute(f"COPY ({HANDWRITTEN}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def _sorted(path: str) -> pa.Table:
    table = pq.read_table(path).sort_by("lead")
    return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        _rescore(make_world(sys.argv[1]), f"{_folder}/all.parquet")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
