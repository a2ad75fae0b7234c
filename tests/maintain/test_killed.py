"""A night's work that is killed anywhere: the next one finishes it, and nothing is lost meanwhile."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

from rescore.lake.housekeeping import drop_old_files
from rescore.lake.records import Page, SetAside
from rescore.lake.tables import SCHEMAS, Storage, files
from rescore.ledger import tables
from rescore.ledger.transaction import Ledger
from rescore.pipeline.maintain import maintain
from rescore.workspace import Workspace
from tests.lake.builders import a_lead, an_activity, facts_of, land
from tests.maintain.aging import age, files_in
from tests.maintain.conftest import open_workspace
from tests.maintain.rows import put

DAY = timedelta(days=1)
TODAY = datetime.now(UTC)  # as the files that these tests make
OLD = TODAY - 800 * DAY
OURS = ("lake/housekeeping.py", "lake/folding.py", "pipeline/maintain.py", "rescore/untouched.py")
EFFECTS = {"_delete", "_write", "_commit", "_drop_files", "_drop_log", "drop_untouched", "forget", "_compact"}
"""Every effect on a file is a function of its own, of one of these modules."""


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(point: int) -> Iterator[Iterator[int]]:
    """Raises before the point-th effect on a file or statement of SQL; counts them otherwise."""
    counter = itertools.count(1)

    def reached(*_: object) -> None:
        if next(counter) == point:
            raise Killed

    def called(frame, what, _):
        code = frame.f_code
        if what in ("call", "return") and code.co_name in EFFECTS and code.co_filename.endswith(OURS):
            reached()

    event.listen(Engine, "before_cursor_execute", reached)
    event.listen(Engine, "commit", reached)
    sys.setprofile(called)
    try:
        yield counter
    finally:
        sys.setprofile(None)
        event.remove(Engine, "before_cursor_execute", reached)
        event.remove(Engine, "commit", reached)


@pytest.fixture(scope="module")
def lived(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with something to do in every room."""
    home = tmp_path_factory.mktemp("lived") / "home"
    home.mkdir()
    shutil.copy(migrated_file, home / "ledger.db")
    ws = opened(home)
    for number in (1, 2, 3):
        land(ws.lake, a_lead("1", size=number), an_activity("a", "1", asset=f"/{number}"), number=number)
        ws.lake.fold_in()
    bad = Page(set_aside=[SetAside("lead", "9", "no_id", "{}")])
    ws.lake.land("crm", bad, stream="other", number=1, known_at=OLD)
    for folder in (Path(ws.lake.results_path("dead")).parent, ws.reports_dir / ("f" * 64)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_bytes(b"old")
    age(home, 800 * DAY)
    rows = {
        tables.delta: [{"lead": str(n), "as_of": OLD} for n in range(5)],
        tables.delivery: [
            {"delivery_id": str(n), "n": n, "state": "delivered", "settled_at": OLD} for n in range(3)
        ],
        tables.attempt: [{"delivery_id": str(n), "started_at": OLD, "outcome": "ok"} for n in range(3)],
        tables.control: [{"scorecard": "b2b"}],
        tables.run: [
            {"run_key": key, "scorecard": "b2b", "state": state, "started_at": OLD, "finished_at": ended}
            for key, state, ended in (("dead", "staged", None), ("over", "promoted", OLD))
        ],
        tables.stage_score: [{"run_key": key, "lead": "1"} for key in ("dead", "over")],
    }
    for table, given in rows.items():
        put(ws.ledger, table, given)
    ws.ledger.close()
    return home


def opened(home: Path) -> Workspace:
    return open_workspace(Ledger(f"sqlite:///{home / 'ledger.db'}"), home)


def promised(ws: Workspace) -> list[object]:
    """Every row of the ledger, the facts, and the files beside the lake's tables."""
    with ws.ledger.reading() as connection:
        rows = [
            sorted(map(repr, connection.execute(select(table)))) for table in tables.metadata.sorted_tables
        ]
    home = ws.reports_dir.parent
    beside = sorted(
        str(path.relative_to(home)) for path in files_in(ws.reports_dir) + files_in(home / "lake" / "runs")
    )
    return [rows, facts_of(ws.lake), beside]


def test_killed_at_any_point_and_done_again_it_ends_as_if_nothing_had_happened(lived: Path, tmp_path: Path):
    """Every seventh point; all of them with RESCORE_FAULTS=all."""

    def copied(name: str) -> Workspace:
        return opened(Path(shutil.copytree(lived, tmp_path / name)))

    whole = copied("whole")
    facts = facts_of(whole.lake)
    with killed_at(-1) as counter:
        counts = maintain(whole, at=TODAY, chunk=2)
    total, wanted = next(counter) - 1, promised(whole)
    assert total > 100
    assert {
        "deltas",
        "runs given up",
        "results",
        "reports",
        "files dropped",
        "set aside dropped",
    } <= counts.keys()
    for point in range(1, total + 1, 1 if os.environ.get("RESCORE_FAULTS") == "all" else 7):
        ws = copied(str(point))
        with suppress(Killed), killed_at(point):
            maintain(ws, at=TODAY, chunk=2)
        ws.ledger.close()  # a dead process holds no connection
        assert facts_of(ws.lake) == facts, f"killed at point {point} of {total}"
        maintain(ws, at=TODAY, chunk=2)
        assert promised(ws) == wanted, f"killed at point {point} of {total}"
        lake = ws.reports_dir.parent / "lake"
        drop_old_files(Storage(str(lake)), at=TODAY + DAY, keep=timedelta(0))  # as days later
        assert unnamed_files(lake) == [], f"killed at point {point} of {total}"
        ws.ledger.close()
        shutil.rmtree(ws.reports_dir.parent)


def unnamed_files(lake: Path) -> list[Path]:
    """What is in the tables' folders and no table names."""
    storage = Storage(str(lake))
    named = {Path(file) for name in SCHEMAS for file in files(storage.existing(name))}
    folders = [lake / name for name in SCHEMAS]
    there = {path for folder in folders for path in files_in(folder) if "_delta_log" not in path.parts}
    return sorted(there - named)
