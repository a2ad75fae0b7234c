"""How long what is kept: every time can be set, and none to less than what some decision looks back."""

from datetime import timedelta
from pathlib import Path

import pytest

from rescore.errors import PolicyInvalid
from rescore.policy.file import load_policy, read_policy
from rescore.policy.retention import Retention

SHIPPED = Path(__file__).parents[2] / "include" / "policy.yaml"
OPERATIONS = SHIPPED.parents[1] / "docs" / "operations.md"


def test_the_shipped_policy_says_the_defaults_and_every_one_of_them():
    assert read_policy(SHIPPED).retention == load_policy(b"{}", "none").retention == Retention()
    said = SHIPPED.read_text().partition("\nretention:")[2]
    assert all(f"\n  {name}: " in said for name in Retention.__slots__)


def test_the_runbook_tells_of_every_one_of_them():
    section = OPERATIONS.read_text().partition("\n## maintain\n")[2].partition("\n## ")[0]
    assert all(f"`{name}`" in section for name in Retention.__slots__)


def test_a_time_can_be_set_and_the_others_stay():
    retention = load_policy(b"retention: {deltas: 800d, old_files: 12h}", "policy.yaml").retention
    assert (retention.deltas, retention.old_files) == (timedelta(days=800), timedelta(hours=12))
    assert retention.runs == Retention().runs


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param("crossings: 27d", "at least 28d are needed: the gate compares", id="the gate's 28 days"),
        pytest.param("extracts: 30d", "at least 35d are needed", id="the prediction's four weeks"),
        pytest.param("old_files: 1h", "at least 6h are needed: a task may read", id="a reader's hours"),
        pytest.param("old_files: 8d", "remembers files for 7d only", id="longer than the lake's log knows"),
        pytest.param("attempts: 20d", "`attempts` is 20d, and `delivery_bodies` 30d", id="sent blindly"),
        pytest.param("runs: 90", "`runs` takes hours or days, not", id="no unit"),
        pytest.param("run: 90d", "unknown key `run`", id="misspelt"),
        pytest.param("xyzzy: 90d", "`xyzzy`; docs/operations.md lists what can stand", id="known nowhere"),
    ],
)
def test_a_time_that_would_break_a_promise_is_refused_with_the_reason(said, told):
    with pytest.raises(PolicyInvalid) as refused:
        load_policy(f"retention: {{{said}}}".encode(), "policy.yaml")
    assert told in str(refused.value)
