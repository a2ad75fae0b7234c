"""The harness's own bookkeeping: a layer holds when all of it was done and nothing broke."""

import pytest

from tests.faults.report import Layer, as_list, as_table


@pytest.mark.parametrize(
    ("layer", "holds"),
    [
        pytest.param(Layer("a", 10, 10), True, id="all done"),
        pytest.param(Layer("a", 10, 9), False, id="too little done"),
        pytest.param(Layer("a", 10, 12, ["lead 3 is lost"]), False, id="something broke"),
    ],
)
def test_a_layer_holds_when_all_of_it_was_done_and_nothing_broke(layer, holds):
    assert layer.holds == holds


def test_the_report_names_what_broke_and_what_was_not_done():
    layers = [Layer("kills", 500, 500, seconds=61.4), Layer("pairs", 1500, 1200, ["point 7: lost"])]
    assert as_table(layers).splitlines()[2:4] == [
        "kills |    500 |   500 |          0 |      61",
        "pairs |  1,500 | 1,200 |          1 |       0",
    ]
    assert as_list(layers).splitlines() == ["pairs: point 7: lost", "pairs: 1,200 of 1,500 done"]
