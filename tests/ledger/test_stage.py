"""The stage: exactly what a run found, on both bulk paths, and nothing left of runs that are over."""

import pyarrow as pa
import pytest

from rescore.ledger import tables
from rescore.ledger.scores import stage
from tests.ledger.world import World

AWKWARD = [
    'crm:"quoted"',
    "crm:a,b",
    "crm:line\nbreak",
    "crm:\\N",
    "crm:",
    "crm:é😀",
    "crm:tab\t",
    "crm:'; --",
]


@pytest.fixture
def world(ledger) -> World:
    world = World(ledger)
    world.first_load()
    return world


def test_awkward_texts_nulls_and_empty_texts_arrive_as_they_are(world):
    run = world.start()
    count = len(AWKWARD)
    rows = pa.table(
        {
            "lead": AWKWARD,
            "score": pa.array([None, -5, 0, 2**31 - 1, -(2**31), 1, 2, 3], pa.int64()),
            "band": pa.array([None, "", "A,B", '"', "NULL", "null", "é", "\\"], pa.string()),
            "dimensions": ["{}"] * count,
            "reasons": ['[{"label":"Said \\"hi\\",\\nthen left"}]'] * count,
            "changed": [True, False] * (count // 2),
        }
    )
    with world.ledger.transaction() as connection:
        stage.stage(connection, run, rows)
    columns = ("lead", "score", "band", "dimensions", "reasons", "changed")
    expected = sorted((tuple(row[name] for name in columns) for row in rows.to_pylist()), key=repr)
    assert world.rows(tables.stage_score, *columns) == expected


def test_a_retried_run_replaces_its_stage(world):
    world.stage(world.start(key="r/b2b"), {"crm:1": 1, "crm:2": 2})
    world.stage(world.start(key="r/b2b"), {"crm:2": 5})
    assert world.rows(tables.stage_score, "lead", "score") == [("crm:2", 5)]


def test_the_stages_of_finished_runs_are_cleared_and_those_of_others_kept(world):
    waiting = world.stage(world.start(), {"crm:1": 1})
    world.score(**{"crm:1": 2})
    world.stage(world.start(), {"crm:1": 3})
    assert world.rows(tables.stage_score, "score") == [(1,), (3,)]
    assert world.run_state(waiting) == "staged"


def test_an_empty_stage_is_a_stage(world):
    assert world.score() == {}


@pytest.mark.parametrize("leads", [None, ["crm:1", "crm:none"]], ids=["everybody", "some"])
def test_committed_scores_come_as_columns_with_fixed_types(world, leads):
    world.score(**{"crm:1": None, "crm:2": 7})
    with world.ledger.reading() as connection:
        table = stage.committed(connection, "b2b", leads)
    assert table.schema == stage.COMMITTED
    assert sorted(table["lead"].to_pylist()) == (["crm:1", "crm:2"] if leads is None else ["crm:1"])


def test_committed_scores_of_nobody_are_an_empty_table(world):
    with world.ledger.reading() as connection:
        assert stage.committed(connection, "b2b").num_rows == 0
        assert stage.committed_row(connection, "b2b", "crm:1") is None
