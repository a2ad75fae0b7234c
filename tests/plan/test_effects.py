"""Counts of a plan, from everybody's numbers under both cards."""

from dataclasses import replace

import pyarrow as pa
import pytest

from rescore.plan import effects
from rescore.plan.effects import Both
from rescore.plan.plan import Bar, Contribution
from tests.ledger.world import a_card

CARD = a_card()
OLD_SCORES = [120, 60, 55, 10, None, -5]
NEW_SCORES = [120, 101, 45, None, 3, -5]
OLD_BANDS = ["A", "B", "B", "C", None, None]
NEW_BANDS = ["A", "A", "C", None, "C", None]


def both(old=OLD_SCORES, new=NEW_SCORES, **columns):
    sides = {"score": (old, new), "engagement": (old, new)}
    rows = {name: pa.array(values[1], pa.int64()) for name, values in sides.items()}
    rows |= {f"old {name}": pa.array(values[0], pa.int64()) for name, values in sides.items()}
    rows |= {"lead": [f"crm:{number}" for number in range(len(old))]}
    rows |= {"band": pa.array(NEW_BANDS[: len(old)]), "old band": pa.array(OLD_BANDS[: len(old)])}
    return Both(CARD, replace(CARD, description="new"), pa.table(rows | columns), {"visit": "visit"})


def test_every_lead_is_counted_where_it_belongs():
    counts = effects.leads(both())
    assert (counts.everybody, counts.scored_old, counts.scored_new) == (6, 5, 5)
    assert (counts.changed, counts.up, counts.down, counts.joined, counts.left) == (4, 1, 1, 1, 1)
    assert (counts.banded, counts.band_moves, counts.first_bands) == (4, 3, 1)
    assert (counts.mean_old, counts.mean_new) == (48.0, 52.8)


def test_the_matrix_has_every_lead_once():
    matrix = effects.band_matrix(both())
    assert matrix.old == ("A", "B", "C", "no band", "no score")
    leads = {
        (old, new): number
        for old, row in zip(matrix.old, matrix.leads, strict=True)
        for new, number in zip(matrix.new, row, strict=True)
        if number
    }
    assert leads == {
        ("A", "A"): 1,
        ("B", "A"): 1,
        ("B", "C"): 1,
        ("C", "no score"): 1,
        ("no score", "C"): 1,
        ("no band", "no band"): 1,
    }


@pytest.mark.parametrize(
    ("moves", "bars"),
    [
        pytest.param([0, 0], [], id="nobody moves"),
        pytest.param([1, 1, 3], [Bar(1, 1, 2), Bar(2, 2, 0), Bar(3, 3, 1)], id="up only"),
        pytest.param([-2, -1], [Bar(-2, -2, 1), Bar(-1, -1, 1)], id="down only"),
        pytest.param([-1, 2], [Bar(-1, -1, 1), Bar(1, 1, 0), Bar(2, 2, 1)], id="both ways"),
        pytest.param(
            [13, -3],
            [Bar(-4, -3, 1), Bar(-2, -1, 0), *[Bar(n, n + 1, 0) for n in range(1, 13, 2)], Bar(13, 14, 1)],
            id="wider bars",
        ),
    ],
)
def test_a_histogram_never_mixes_up_with_down(moves, bars):
    given = both([50] * len(moves), [50 + move for move in moves])
    assert effects.histogram(given) == tuple(bars)


def test_a_rule_counts_for_leads_with_a_score_and_is_dead_when_it_gives_nobody_anything():
    points = pa.array([5000, 0, 5000, 5000, 5000, 0])
    [rule] = effects.rule_effects(both(visit=points))
    assert (rule.old, rule.new) == (Contribution(3, 15_000), Contribution(3, 15_000))
    assert (rule.change, rule.dead) == ("same", False)
    [rule] = effects.rule_effects(both(visit=pa.array([0] * 6)))
    assert rule.dead
