"""An erasure that is interrupted anywhere and resumed leaves no copy, and a tombstone."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from rescore.ledger.people import tombstones
from rescore.pipeline.erase import erase, resume
from tests.erasure.conftest import ADA, ADDRESS, NAMES, PERSON, another
from tests.erasure.copies import found_in_files, found_in_rows
from tests.support.main_job import Job

OURS = ("lake/erasing.py", "lake/results.py", "plan/erase_reports.py", "plan/reports.py", "pipeline/erase.py")
EFFECTS = {"_commit", "_write_without", "_delete", "_forget_log", "_erase", "_rewrite", "write_report", "run"}
"""Every effect on a file is a function of its own, of one of these modules."""


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(point: int):
    """Raises before the point-th effect on a file or statement of SQL; counts them otherwise."""
    counter = itertools.count(1)

    def reached(*_):
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


def points(job) -> int:
    """How many there are in an erasure that nobody disturbs."""
    with killed_at(-1) as counter:
        erase(job.ws, **PERSON, by="test", at=job.now)
    return next(counter) - 1


def assert_erased(job) -> None:
    home = job.ws.reports_dir.parent
    assert found_in_rows(job.ws.ledger, NAMES) == []
    assert found_in_files(home, NAMES) == []
    with job.ws.ledger.reading() as connection:
        erased = tombstones.read(connection)
    assert erased.lead(f"hubspot:{ADA}")
    assert erased.address(ADDRESS)


def kill_and_resume(job, point: int) -> None:
    with suppress(Killed), killed_at(point):
        erase(job.ws, **PERSON, by="test", at=job.now)
    job.ws.ledger.close()  # a dead process holds no connection
    resume(job.ws, at=job.now)
    with job.ws.ledger.reading() as connection:
        begun = bool(tombstones.read(connection))
    if not begun:  # killed before it was registered: nobody knows of it
        erase(job.ws, **PERSON, by="test", at=job.now)
    assert_erased(job)


@pytest.mark.parametrize("lived", ["sqlite"], indirect=True)
def test_killed_at_any_point_and_resumed_no_copy_is_left(lived: Job, tmp_path: Path):
    """Every fifth point; all of them with RESCORE_FAULTS=all, which takes a minute and a half."""
    total = points(another(lived, tmp_path / "whole"))
    assert total > 100
    for point in range(1, total + 1, 1 if os.environ.get("RESCORE_FAULTS") == "all" else 5):
        job = another(lived, tmp_path / str(point))
        try:
            kill_and_resume(job, point)
        except AssertionError as problem:
            raise AssertionError(f"killed at point {point} of {total}: {problem}") from problem
        job.ws.ledger.close()
        shutil.rmtree(tmp_path / str(point))


@pytest.mark.parametrize("point", [2, 12, 40, 75, 110])
def test_on_either_database_an_interrupted_erasure_goes_on(job, point):
    kill_and_resume(job, point)
