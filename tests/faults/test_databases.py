"""A sample of the faults of the ledger's database."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import databases, homes
from tests.faults.database_faults import FAULTS, DatabaseFault, Trouble


@pytest.mark.postgres
def test_no_fault_of_the_sample_breaks_a_promise():
    layer = databases.run(short=True, say=lambda line: None)
    assert layer.violations == []
    assert layer.done == layer.target


def test_there_are_as_many_cells_as_promised_each_named_once():
    names = [str(cell) for cell in databases.cells()]
    assert len(names) == len(set(names)) >= databases.TARGET
    assert {fault.database for fault in FAULTS} == set(homes.BOTH)


def test_a_fault_that_no_step_meets_is_a_violation(tmp_path: Path):
    """So that the harness cannot be content with faults that never come."""
    idle = DatabaseFault("idle", "sqlite", None, _nothing)
    with databases.begun(tmp_path, "sqlite") as begins:
        found = databases.play(begins, tmp_path, databases.Cell(idle, "gate"), retry=True)
    assert found == ["sqlite, gate: idle: is not noticed"]


@contextmanager
def _nothing(trouble: Trouble):
    yield
