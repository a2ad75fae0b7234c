"""The first line of a plan tells of every lead whose band moves, also to its first one and to none."""

from dataclasses import replace

import pytest

from rescore.plan.plan import NO_BAND, NO_SCORE, BandMatrix
from tests.plan import plans

NAMES = ("A", NO_BAND, NO_SCORE)


def a_plan(moves: int, first: int, lost: int, outside: int = 0):
    """No automation, no CRM: bands alone; `outside` leads leave the audience."""
    plan = plans.nothing_changes()
    return replace(
        plan,
        leads=replace(plan.leads, changed=1, band_moves=moves, first_bands=first),
        bands=BandMatrix(NAMES, NAMES, ((5, lost, outside), (first, 7, 3), (0, 2, 1))),
    )


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        pytest.param(a_plan(310, 12, 0), "310 leads change band, 12 get their first", id="both"),
        pytest.param(a_plan(1, 1, 0), "1 lead changes band, 1 gets its first", id="one of each"),
        pytest.param(a_plan(0, 12, 0), "12 leads get their first band", id="first bands alone"),
        pytest.param(a_plan(310, 0, 3, 1), "310 leads change band (4 lose it)", id="some to none"),
        pytest.param(a_plan(4, 2, 4), "4 leads lose their band, 2 get their first", id="all to none"),
        pytest.param(a_plan(0, 0, 0), "1 lead changes score", id="no band moves"),
    ],
)
def test_it_tells_who_changes_band_who_gets_one_and_who_loses_it(plan, line):
    assert plan.opening_line() == line
