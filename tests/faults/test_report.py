"""The harness's own bookkeeping: a layer holds when all of it was done and nothing broke."""

import subprocess

import pytest

from tests.faults.kept import Kept
from tests.faults.report import Layer, as_list, as_table


@pytest.mark.parametrize(
    ("layer", "holds"),
    [
        pytest.param(Layer("a", 10, 10), True, id="all done"),
        pytest.param(Layer("a", 10, 9), False, id="too little done"),
        pytest.param(Layer("a", 10, 12, ["lead 3 is lost"]), False, id="something broke"),
    ],
)
def test_a_layer_holds_when_all_of_it_was_done_and_nothing_broke(layer, holds):
    assert layer.holds == holds


def test_the_report_names_what_broke_and_what_was_not_done():
    layers = [Layer("kills", 500, 500, seconds=61.4), Layer("pairs", 1500, 1200, ["point 7: lost"])]
    assert as_table(layers).splitlines()[2:4] == [
        "kills |    500 |   500 |          0 |      61",
        "pairs |  1,500 | 1,200 |          1 |       0",
    ]
    assert as_list(layers).splitlines() == ["pairs: point 7: lost", "pairs: 1,200 of 1,500 done"]


def test_an_interrupted_run_goes_on_where_layers_have_not_held_at_this_commit(tmp_path):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@house.example"]

    def commits(text):
        (tmp_path / "code.py").write_text(text)
        subprocess.run([*git, "add", "code.py", ".gitignore"], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "-qm", text], cwd=tmp_path, check=True)

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text(".faults/\n")
    commits("one")
    held, broken = Layer("kills", 5, 5, seconds=2.0), Layer("pairs", 5, 5, ["point 7: lost"])
    Kept(tmp_path).keep("sigkill", [held])
    Kept(tmp_path).keep("crash_points", [held, broken])
    assert Kept(tmp_path).layers("sigkill") == [held]
    assert Kept(tmp_path).layers("crash_points") == []
    (tmp_path / "code.py").write_text("edited")
    assert Kept(tmp_path).layers("sigkill") == []
    commits("two")
    assert Kept(tmp_path).layers("sigkill") == []


def test_without_a_repository_nothing_is_kept(tmp_path):
    Kept(tmp_path).keep("sigkill", [Layer("kills", 5, 5)])
    assert Kept(tmp_path).layers("sigkill") == []
