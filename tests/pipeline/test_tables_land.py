"""What a table gains lands with its leads marked; what it shows again wakes nobody."""

import pytest

from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.scores import streams
from rescore.owed_marks import make_owed_marks
from rescore.pipeline.extract import extract
from rescore.pipeline.score import start_runs
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


def marks(ws):
    rows = World(ws.ledger).rows(tables.dirty, "lead", "facts_until", "history")
    return [(lead, until and f"{until:%Y-%m-%d %H:%M:%S}", history) for lead, until, history in rows]


class TestAHistoryInBulk:
    """Its leads are marked together: when somebody asks whom to score, and before it ends."""

    @pytest.fixture
    def db(self, tmp_path):
        with warehouse("sqlite", tmp_path) as db:
            early, late = ((1, 2, NINE), (3, 4, TEN))
            rows = [(early if n < 10 else late, n) for n in range(20)]
            db.fill("views", [(n, str(of[n % 2]), of[2], of[2], "/a", None, "x") for of, n in rows])
            yield db

    def read(self, ws, db, **options):
        return extract(ws, db.source(turn=4), until=UNTIL, known_at=UNTIL, **options)

    def test_is_owed_its_marks_where_it_stopped_and_gets_them_when_somebody_asks(self, ws, db):
        assert self.read(ws, db, time_is_up=lambda: True)["streams to go on with"] == 1
        assert marks(ws) == []
        start_runs(ws, run_id="manual", as_of=UNTIL, at=UNTIL)
        assert marks(ws) == [("warehouse:1", NINE, True), ("warehouse:2", NINE, True)]
        assert dirty(ws) == ["warehouse:1", "warehouse:2"]
        make_owed_marks(ws)
        assert marks(ws) == [], "they are made once"
        self.read(ws, db)
        assert ("warehouse:4", TEN, True) in marks(ws)

    def test_has_them_when_it_ends_and_later_landings_make_their_own(self, ws, db):
        counts = self.read(ws, db)
        assert (counts["activities"], counts["unknown lead"]) == (20, 4)
        four = [("1", NINE), ("2", NINE), ("3", TEN), ("4", TEN)]
        assert marks(ws) == [(f"warehouse:{lead}", until, True) for lead, until in four]
        dirty(ws)
        db.fill("views", [(20, "2", TEN, TEN, "/b", None, "x")])
        self.read(ws, db)
        assert marks(ws) == [("warehouse:2", TEN, False)]

    def test_stays_owed_the_marks_of_what_lands_while_the_others_are_made(self, ws, db):
        self.read(ws, db, time_is_up=lambda: True)
        with ws.ledger.reading() as connection:
            [owed] = streams.owed(connection)
        self.read(ws, db, time_is_up=lambda: True)
        with ws.ledger.transaction() as connection:
            streams.mark_owed(connection, owed, [])
        with ws.ledger.reading() as connection:
            [still] = streams.owed(connection)
        assert (owed.since, owed.committed, still.since) == (0, 2, 2)
        make_owed_marks(ws)
        assert [lead for lead, _, _ in marks(ws)] == [f"warehouse:{n}" for n in "1234"]

    def test_is_marked_also_where_the_ledger_did_not_hear_of_a_landing(self, ws, db):
        page = next(db.source(turn=4).pages("views", None, until=UNTIL))
        ws.lake.land("warehouse", page, stream="views", number=1, known_at=UNTIL)
        assert self.read(ws, db)["duplicate"] == 4
        assert [lead for lead, _, _ in marks(ws)] == [f"warehouse:{n}" for n in "1234"]
