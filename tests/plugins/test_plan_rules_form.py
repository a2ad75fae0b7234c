"""The form of `plan_rules` names a file of the rules folder, and reaches none beyond it."""

import pytest

from rescore.errors import InputUnreadable
from rescore.lake.lake import Lake
from rescore.ledger.transaction import Ledger
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


@pytest.fixture
def ws(migrated_file, tmp_path):
    rules = tmp_path / "rules"
    (rules / "folder.yaml").mkdir(parents=True)
    (tmp_path / "connections.env").write_text("AIRFLOW_CONN_HUBSPOT: quetzal\n")
    (rules / "link.yaml").symlink_to("../connections.env")
    ledger = Ledger(f"sqlite:///{migrated_file}")
    policy = MAPPINGS.with_name("policy.yaml")
    yield Workspace(ledger, Lake(str(tmp_path / "lake")), rules, MAPPINGS, tmp_path / "reports", policy)
    ledger.close()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        pytest.param("link.yaml", "link.yaml: a link that leads out of the rules folder", id="a link"),
        pytest.param("folder.yaml", "folder.yaml: this is no file", id="a folder"),
        pytest.param("../connections.env", "there is no rules file `../connections.env`", id="upwards"),
        pytest.param("/etc/passwd", "there is folder.yaml, link.yaml", id="elsewhere"),
        pytest.param("\x1b[2J\n.yaml", r"there is no rules file `\x1b[2J\n.yaml`", id="an escape sequence"),
    ],
)
def test_a_file_beyond_the_rules_folder_is_refused_in_a_sentence(ws, file, says):
    from rescore_airflow.operators.plan_rules import PlanRulesOperator

    params = {"file": file, "text": None, "as_of": None, "split": None}
    with pytest.raises(InputUnreadable) as refused:
        PlanRulesOperator(task_id="plan").work(ws, {"params": params})
    assert says in str(refused.value)
    assert str(refused.value).isprintable()
    assert "quetzal" not in str(refused.value)
