"""A deployment to keep small: both stores, and the shipped policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from rescore.lake.lake import Lake
from rescore.ledger.transaction import Ledger
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS


def open_workspace(ledger: Ledger, home: Path) -> Workspace:
    rules = home / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    lake = Lake(str(home / "lake"), buckets=2)
    return Workspace(ledger, lake, rules, MAPPINGS, home / "reports", MAPPINGS.with_name("policy.yaml"))


@pytest.fixture
def ws(ledger: Ledger, tmp_path: Path) -> Workspace:
    """On either database."""
    return open_workspace(ledger, tmp_path)
