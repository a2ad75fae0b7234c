"""`make bench` compares things of equal meaning: what it asserts holds in the smallest world."""

import pytest

from tests.bench.__main__ import BENCHMARKS
from tests.bench.world import World, make_world


@pytest.fixture(scope="module")
def smallest() -> World:
    """2,000 leads; made on first use."""
    return make_world("xs")


@pytest.mark.xdist_group("bench")
@pytest.mark.parametrize("bench", BENCHMARKS, ids=[bench.__name__ for bench in BENCHMARKS])
def test_both_sides_of_a_benchmark_give_the_same_results(bench, smallest):
    assert list(bench(smallest, 1))
