"""`python -m tests.bench [--size xs|s|m] [--turns N] [--only NAME]`: speed as ratios between equals.

To add a benchmark, write a function `(world, turns) -> lines` and name it in its module's BENCHMARKS. Those
of sources use the world's size only: for one of them alone no lake is made.
"""

import argparse
from pathlib import Path

from tests.bench import causes, ledger, scoring, sources, steps
from tests.bench.world import SIZES, World, make_world

OF_A_LAKE = [*scoring.BENCHMARKS, *steps.BENCHMARKS, *ledger.BENCHMARKS, *causes.BENCHMARKS]
BENCHMARKS = [*OF_A_LAKE, *sources.BENCHMARKS]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description="Speed as ratios.")
    parser.add_argument("--size", choices=SIZES, default="s", help="xs: 2k leads, s: 100k, m: 1M")
    parser.add_argument("--turns", type=int, default=5, help="how often each contender runs")
    parser.add_argument("--only", choices=[bench.__name__ for bench in BENCHMARKS], help="one benchmark")
    options = parser.parse_args()
    chosen = [bench for bench in BENCHMARKS if options.only in {None, bench.__name__}]
    leads, activities = SIZES[options.size]
    world = World(options.size, Path(), leads, activities)
    if any(bench in OF_A_LAKE for bench in chosen):
        print(f"Facts: {leads:,} leads, {activities:,} activities (made on first use) ...", flush=True)
        world = make_world(options.size, say=lambda line: print(line, flush=True))
    print("Ratios are min / median / max over interleaved turns; below 1 is faster than the baseline.\n")
    for bench in chosen:
        print(f"... {bench.__name__}", flush=True)
        print("\n".join(bench(world, options.turns)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
