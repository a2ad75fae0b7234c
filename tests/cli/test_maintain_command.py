"""`rescore maintain`: what went, one count a line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
RESCORE = Path(sys.executable).parent / "rescore"


@pytest.mark.parametrize(
    ("policy", "code", "said"),
    [
        pytest.param((PROJECT / "include" / "policy.yaml").read_text(), 0, "nothing to do", id="nothing old"),
        pytest.param("retention: {runs: 1d}", 1, "policy.yaml:1:19: `runs` is 1d", id="too short a time"),
    ],
)
def test_it_says_what_went_or_what_is_wrong_with_the_policy(tmp_path, policy, code, said):
    file = tmp_path / "policy.yaml"
    file.write_text(policy)
    environment = {
        "PATH": os.environ["PATH"],
        "RESCORE_HOME": str(tmp_path),
        "RESCORE_POLICY_FILE": str(file),
    }

    def run(*arguments):
        return subprocess.run(
            [RESCORE, *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )

    assert run("setup", "ledger").returncode == 0
    done = run("maintain")
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
