"""The short form of the layers in which processes die: the code of `make faults`, a sample of its points."""

import pytest

from tests.faults import crash_points, sigkill
from tests.faults.report import as_list


@pytest.mark.postgres
@pytest.mark.parametrize("layer", [crash_points, sigkill], ids=["crash points", "SIGKILL"])
def test_whatever_point_a_process_dies_at_the_next_runs_make_it_as_if_it_had_not(layer):
    layers = layer.run(short=True, say=lambda line: None)
    assert all(each.holds for each in layers), as_list(layers)
