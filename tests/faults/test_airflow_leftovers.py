"""What a real Airflow leaves behind when it is killed is found and ended; nobody else is."""

import subprocess
import sys

import pytest

from tests.faults.airflow_overlaps import never_older
from tests.faults.airflow_server import end_everything_below

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_processes_are_known_by_their_home_or_their_log_and_others_are_left_alone(tmp_path):
    home = {"AIRFLOW_HOME": str(tmp_path / "home")}
    elsewhere = {"AIRFLOW_HOME": f"{tmp_path}-of-somebody-else"}
    with (tmp_path / "task.log").open("wb") as log:
        by_home = subprocess.Popen(SLEEPS, env=home)
        by_log = subprocess.Popen(SLEEPS, env={}, stdout=log)
        other = subprocess.Popen(SLEEPS, env=elsewhere)
        try:
            assert sorted(end_everything_below(tmp_path)) == sorted([by_home.pid, by_log.pid])
            assert other.poll() is None
        finally:
            for process in (by_home, by_log, other):
                process.kill()
                process.wait()


@pytest.mark.parametrize("back", [0, 1, 2], ids=["activation", "as_of", "input version"])
def test_a_record_that_went_back_is_a_violation(back):
    was = {("b2b_saas", "hubspot:1"): (2, 20, 200)}
    now = {lead: tuple(n - (i == back) for i, n in enumerate(moments)) for lead, moments in was.items()}
    never_older(was, was)
    with pytest.raises(AssertionError, match=r"1 scores of record went back.*hubspot:1"):
        never_older(was, now)
