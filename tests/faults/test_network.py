"""A sample of the matrix of network faults, and the page that shows all of it."""

from tests.faults import network, network_docs
from tests.faults.network_faults import FAULTS


def test_no_fault_of_the_sample_breaks_a_promise():
    layer = network.run(short=True, say=lambda line: None)
    assert layer.violations == []
    assert layer.done == layer.target


def test_the_page_shows_the_matrix_that_is_played():
    assert network_docs.committed() == network_docs.render(), (
        "write it with `python -m tests.faults --only network --write-docs`"
    )


def test_the_matrix_is_as_large_as_promised_and_names_each_cell_once():
    names = [str(cell) for cell in network.cells()]
    assert len(names) == len(set(names)) >= network.TARGET
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_the_sample_meets_every_operation():
    every = network.cells()
    sampled = {str(every[place]).partition(":")[0] for place in network.sample()}
    assert sampled == {str(cell).partition(":")[0] for cell in every}
