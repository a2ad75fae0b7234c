"""What every test of the pipeline starts from."""

from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.ledger.transaction import Ledger
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS, Job


@pytest.fixture
def job(ledger: Ledger, tmp_path: Path) -> Job:
    """Two leads, Ada a director and Bob not, and one scorecard."""
    rules = tmp_path / "rules"
    rules.mkdir()
    lake = Lake(str(tmp_path / "lake"))
    policy = MAPPINGS.with_name("policy.yaml")
    job = Job(Workspace(ledger, lake, rules, MAPPINGS, tmp_path / "reports", policy))
    job.write_rules()
    job.crm.put_lead("ada", {"job_title": "Director of Sales"})
    job.crm.put_lead("bob", {"job_title": "Developer"})
    return job
