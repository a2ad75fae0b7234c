"""The ledger's rooms lie on each other: each imports only rooms below it, and the ledger's own ground."""

import ast
from pathlib import Path

import pytest

LEDGER = Path(__file__).parents[2] / "include" / "rescore" / "ledger"
GROUND = {"tables", "types", "upsert", "lock", "installation", "transaction"}
BELOW = {
    "scores": set(),
    "automations": {"scores"},
    "rules": {"scores", "automations"},
    "outbox": {"scores"},
    "people": {"scores", "automations"},
    "promotion": {"scores", "automations", "rules", "outbox", "people"},
}


def parts_imported(file: Path) -> set[str]:
    """The rooms and files directly in the ledger that a file imports."""
    parts = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        if node.module == "rescore.ledger":
            parts |= {alias.name for alias in node.names}
        elif node.module.startswith("rescore.ledger."):
            parts.add(node.module.split(".")[2])
    return parts


def test_every_room_has_its_place():
    rooms = {folder.name for folder in LEDGER.iterdir() if (folder / "__init__.py").exists()}
    assert rooms - {"migrations", "tables"} == set(BELOW)


@pytest.mark.parametrize("room", BELOW)
def test_a_room_of_the_ledger_imports_only_rooms_below_it(room):
    for file in sorted((LEDGER / room).glob("*.py")):
        wrong = parts_imported(file) - GROUND - BELOW[room] - {room}
        assert not wrong, f"ledger/{room}/{file.name} imports {sorted(wrong)}, which does not lie below it"


def test_the_ground_stands_on_no_room():
    for file in [*LEDGER.glob("*.py"), *LEDGER.glob("tables/*.py")]:
        if {file.stem, file.parent.name} & GROUND:
            assert parts_imported(file) <= GROUND, file
