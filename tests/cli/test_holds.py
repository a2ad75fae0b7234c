"""What waits for a person, from the terminal: list it, answer it, go back."""

import subprocess
import sys
from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS, RULES, Job

RESCORE = Path(sys.executable).parent / "rescore"


@pytest.fixture
def job(tmp_path):
    """Bob has points; an edit that moves his band is held."""
    (tmp_path / "rules").mkdir()
    policy = tmp_path / "policy.yaml"
    policy.write_text("band_moves: {leads: 0, share: 40%}\n")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    job = Job(
        Workspace(
            ledger,
            Lake(str(tmp_path / "lake")),
            tmp_path / "rules",
            MAPPINGS,
            tmp_path / "reports",
            policy,
        )
    )
    job.write_rules()
    job.crm.put_lead("bob", {})
    job.visit("bob")
    job.run()
    yield job
    ledger.close()


def rescore(job, *arguments):
    home = job.ws.policy_file.parent
    return subprocess.run(
        [RESCORE, *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "RESCORE_HOME": str(home),
            "RESCORE_RULES_DIR": str(job.ws.rules_dir),
            "RESCORE_MAPPINGS_DIR": str(MAPPINGS),
            "RESCORE_POLICY_FILE": str(job.ws.policy_file),
            "USER": "rita",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_held_change_is_listed_answered_and_taken_back(job):
    job.now = job.now.replace(year=2100)  # the command takes the present: this question is still open then
    job.write_rules(RULES.replace("points: 10", "points: 30"))
    [held] = job.adopt()

    listed = rescore(job, "holds").stdout
    unsure = rescore(job, "review", held.hold_id)
    refused = rescore(job, "review", held.hold_id, "--release", "--plan", "f" * 64)
    discarded = rescore(job, "review", held.hold_id, "--discard", "--by", "rita")
    status = rescore(job, "status", "--plain").stdout

    assert f"{held.hold_id}: rules, until 2100-" in listed
    assert "1 of 1 banded leads change band; 0 may without asking" in listed
    assert f"{held.plan_hash}/report.html" in listed
    assert (unsure.returncode, unsure.stderr) == (
        2,
        "give one answer: --release, --without-automations or --discard\n",
    )
    assert (refused.returncode, "is about plan" in refused.stderr) == (1, True)
    assert (discarded.returncode, discarded.stdout) == (0, f"{held.hold_id}: discarded 1\n")
    assert rescore(job, "holds").stdout == "nothing waits for an answer\n"
    assert "b2b_saas file differs: 1" in status


def test_the_way_back_is_said_in_one_sentence(job):
    assert rescore(job, "rollback", "b2b_saas").stderr == (
        "version 1 of b2b_saas is the first that came into force\n"
    )
    assert rescore(job, "rollback", "b2b_saas", "--to", "1").stdout == (
        "version 1 of b2b_saas is in force already\n"
    )
    assert "no scorecard `b2c` is in force; there is b2b_saas" in rescore(job, "rollback", "b2c").stderr
    assert "there is no hold `x`" in rescore(job, "review", "x", "--discard").stderr
