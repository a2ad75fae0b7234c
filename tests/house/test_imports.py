"""Imports point one way: dags -> plugins -> include."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ROOMS = {
    "include": {"airflow", "rescore_airflow", "dags", "tests"},
    "plugins": {"dags", "tests", "sandbox_crm", "demo"},
    "dags": {"tests", "sandbox_crm", "demo", "dags"},
}
FILES = [(room, file) for room in ROOMS for file in sorted((PROJECT / room).rglob("*.py"))]


def imported(file: Path) -> set[str]:
    """The top-level packages a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize(("room", "file"), FILES, ids=[str(file.relative_to(PROJECT)) for _, file in FILES])
def test_a_file_imports_nothing_from_a_room_above_it(room, file):
    wrong = imported(file) & ROOMS[room]
    assert not wrong, f"{file.relative_to(PROJECT)} imports {wrong}: dags -> plugins -> include, never back"


def test_the_core_knows_neither_the_sandbox_nor_the_demo():
    for file in (PROJECT / "include" / "rescore").rglob("*.py"):
        assert not imported(file) & {"sandbox_crm", "demo"}, file


def test_a_plan_knows_no_vendor():
    for file in (PROJECT / "include" / "rescore" / "plan").glob("*.py"):
        modules = [
            n.module or "" for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ImportFrom)
        ]
        assert not [module for module in modules if module.startswith("rescore.connectors")], file


def test_airflow_is_met_through_its_sdk():
    """What else may be imported is public too, and listed here with its reason."""
    allowed = {
        "airflow.sdk",
        "airflow.sdk.configuration",
        "airflow.sdk.exceptions",
        "airflow.triggers.base",  # the SDK has no trigger base
        "airflow.providers.standard.operators.trigger_dagrun",
        "airflow.providers.standard.operators.hitl",
        "airflow.providers.standard.operators.empty",
        "airflow.providers.slack.hooks.slack_webhook",
        "airflow.plugins_manager",  # where a plugin says what it brings
        "airflow.api_fastapi.core_api.security",  # a plugin's pages have no login of their own
    }
    found = set()
    for room in ("dags", "plugins"):
        for file in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airflow"):
                    found.add(node.module)
    assert found == allowed
