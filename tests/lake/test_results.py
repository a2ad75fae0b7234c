"""Results: one file a run, under whatever name the run has."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rescore.errors import TerminalError
from rescore.lake.lake import Lake

KEYS = ["scheduled__2026-11-01T00:15:00+00:00|b2b_saas", "..", "a/../b", "a_.._b", "", "ü" * 300, "x" * 300]


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


def test_every_run_key_has_a_file_of_its_own_below_the_lake(lake, tmp_path):
    for n, key in enumerate(KEYS):
        pq.write_table(pa.table({"lead": ["crm:1"], "n": [n]}), lake.results_path(key))
    assert [lake.read_results(key, ["n"])["n"].to_pylist() for key in KEYS] == [[n] for n in range(len(KEYS))]
    runs = tmp_path / "lake" / "runs"
    assert {Path(lake.results_path(key)).parent.parent for key in KEYS} == {runs}


def test_dropped_results_are_gone_and_may_be_dropped_again(lake):
    pq.write_table(pa.table({"lead": ["crm:1"]}), lake.results_path("run"))
    for _ in range(2):
        lake.drop_results("run")
        with pytest.raises(TerminalError, match="score it again"):
            lake.read_results("run")
