"""What a table gains lands with its leads marked; what it shows again wakes nobody."""

import pytest

from rescore.lake.lake import Lake
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from tests.connectors.contract import UNTIL
from tests.connectors.warehouse import warehouse
from tests.lake.builders import brief
from tests.ledger.world import World

NINE, TEN = "2026-11-01 09:00:00", "2026-11-01 10:00:00"


@pytest.fixture
def ws(ledger, tmp_path):
    World(ledger).adopt()
    return Workspace(ledger, Lake(str(tmp_path / "lake"), buckets=3), *[tmp_path] * 4)


def dirty(ws):
    leads = World(ws.ledger).dirty()
    with ws.ledger.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM dirty")
    return leads


def test_a_table_lands_once_and_then_only_what_is_new_or_changed(ws, tmp_path):
    with warehouse("sqlite", tmp_path) as db:
        db.fill("people", [(n, NINE, False, "CTO", 5, False, None) for n in "123"])
        db.fill("views", [(n, str(n % 3 + 1), NINE, NINE, "/a", None, "x") for n in range(9)])
        source = db.source(turn=4)

        def run():
            return extract(ws, source, until=UNTIL, known_at=UNTIL)

        first = run()
        assert (first["leads"], first["activities"]) == (3, 9)
        assert dirty(ws) == ["warehouse:1", "warehouse:2", "warehouse:3"]
        again = run()
        assert (again["leads"], again["activities"], again["duplicate"]) == (0, 0, 9)
        assert dirty(ws) == []
        db.fill("views", [(9, "3", TEN, TEN, "/a", None, "x")])
        db.run(f"UPDATE views SET page = '/b', person = '2', loaded = '{TEN}' WHERE id = 0")
        third = run()
        assert (third["activities"], third["corrected"]) == (1, 1)
        assert dirty(ws) == ["warehouse:1", "warehouse:2", "warehouse:3"]
        assert brief(ws.lake, "activity_id", "lead", "asset")[0] == ("0", "warehouse:2", "/b")
