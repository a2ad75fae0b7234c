"""Tests that share a server run on one worker: without that each worker starts an Airflow of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EIGHT_OF_A_GROUP = """
import os, pathlib, pytest

@pytest.mark.xdist_group("server")
@pytest.mark.parametrize("n", range(8))
def test_one(n):
    (pathlib.Path(__file__).parent / f"{n}.worker").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_all_tests_of_a_group_run_on_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_group.py").write_text(EIGHT_OF_A_GROUP)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    subprocess.run([*command, str(tmp_path)], cwd=tmp_path, env=outside, check=True, capture_output=True)
    workers = [file.read_text() for file in tmp_path.glob("*.worker")]
    assert len(workers) == 8
    assert len(set(workers)) == 1
