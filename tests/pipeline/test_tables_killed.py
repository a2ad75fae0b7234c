"""A table's first load that is killed at any landing goes on, lands each row once and marks every lead."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from rescore.connectors.catalog import load_mapping
from rescore.connectors.connection import Connection
from rescore.connectors.sql import SqlSource
from rescore.connectors.sql.database import Database
from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from tests.connectors.contract import UNTIL
from tests.connectors.warehouse import MAPPING, warehouse
from tests.lake.builders import brief
from tests.ledger.world import World

ROWS, TURN = 24, 4


def kill_me(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class DyingLake(Lake):
    """Whoever lands here is killed when the rows are in the lake and the ledger has not heard of it."""

    def land(self, *given, **options):
        landed = super().land(*given, **options)
        if landed.counts.get("activities"):
            kill_me()
        return landed


def place(root: Path, lake: type[Lake] = Lake) -> Workspace:
    ledger = Ledger(f"sqlite:///{root / 'ledger.db'}")
    return Workspace(ledger, lake(str(root / "lake"), buckets=3), *[root] * 4)


def read(root: Path, lake: type[Lake] = Lake, **options) -> None:
    connection = Connection("rescore_warehouse", str(root / "warehouse.db"), kind="sqlite")
    source = SqlSource(Database(connection, turn=TURN), load_mapping(MAPPING, "warehouse.yaml"))
    extract(place(root, lake), source, until=UNTIL, known_at=UNTIL, **options)


def time_is_up() -> bool:
    return True


def read_some(root: Path, dies: str) -> None:
    """A run whose time is up at once: it lands a page, asks for one more, lands that, and stops."""
    lake = DyingLake if dies == "before the commit" else Lake
    progress = kill_me if dies == "after the commit" else print
    read(root, lake, time_is_up=time_is_up, progress=progress)


@pytest.mark.parametrize(
    "deaths",
    [
        ["before the commit", "before the commit", "never"],
        ["after the commit", "before the commit", "after the commit"],
    ],
    ids=" ".join,
)
def test_what_it_leaves_is_what_an_undisturbed_load_leaves(tmp_path, deaths):
    ws = place(tmp_path)
    migrate(ws.ledger)
    World(ws.ledger).adopt()
    with warehouse("sqlite", tmp_path) as db:
        times = [f"2026-11-01 09:{n:02}:00" for n in range(ROWS)]
        db.fill("views", [(n, str(n // 3), at, at, "/a", None, "x") for n, at in enumerate(times)])
        for dies in deaths:
            child = multiprocessing.get_context("spawn").Process(target=read_some, args=(tmp_path, dies))
            child.start()
            child.join()
            assert child.exitcode == (0 if dies == "never" else -signal.SIGKILL)
        read(tmp_path)
    assert [int(id_) for (id_,) in brief(ws.lake, "activity_id")] == sorted(range(ROWS), key=str)
    marks = World(ws.ledger).rows(tables.dirty, "lead", "facts_until", "history")
    latest = {f"warehouse:{n // 3}": at for n, at in enumerate(times)}
    assert {lead: f"{at:%Y-%m-%d %H:%M:%S}" for lead, at, _ in marks} == latest
    assert all(history for _, _, history in marks)
