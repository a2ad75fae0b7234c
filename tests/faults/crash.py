"""The end of a process at one point, in this process: nothing it does after that has any effect.

A point is the gap before an effect, which is also the one after the effect before it: a statement of SQL, a
commit, a call to the world outside, a commit of the lake, a change of a file. Of each gap there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler
from deltalake.table import TableOptimizer
from sqlalchemy import Engine, event

from rescore.lake import tables as lake_tables
from tests.faults.life import Life

LAKE = (
    (lake_tables, "write_deltalake"),
    (DeltaTable, "create"),
    (DeltaTable, "create_write_transaction"),
    (DeltaTable, "create_checkpoint"),
    (DeltaTable, "delete"),
    (TableOptimizer, "compact"),
    (DeltaStorageHandler, "open_output_stream"),
    (DeltaStorageHandler, "delete_file"),
)
"""Everything that commits to a Delta log, or changes a file below it."""

FILES = frozenset({"os.remove", "os.rename", "os.mkdir", "shutil.rmtree"})
OUTSIDE = ("COMMIT", "lake ", "file ", "crm ", "receiver ", "mailbox ")
"""How points begin that are more than a statement of SQL inside a transaction."""

CALLS = frozenset({"write", "read", "edits", "send", "create", "of_lead", "owner_of"})
"""What the product asks of the world; `pages` beside them goes page by page."""


class Crash(BaseException):
    """The process ends here; no handler of errors sees it."""


class Points:
    """Counts the points of one process's life, and ends it at one of them; `path` names each in order."""

    def __init__(self, end: int | None = None) -> None:
        self.path: list[str] = []
        self._end = end

    @property
    def effects(self) -> list[int]:
        """The points before a commit or an effect elsewhere; between two of them the stores stay the same."""
        return [number for number, what in enumerate(self.path, 1) if what.startswith(OUTSIDE)]

    @property
    def crashed(self) -> bool:
        """Whether the process is dead."""
        return self._end is not None and len(self.path) >= self._end

    def reached(self, what: str) -> None:
        """The process is about to do this."""
        if not self.crashed:
            self.path.append(what)
        if self.crashed:  # a dead process does nothing more, whatever its `finally` clauses try
            raise Crash(what)


class Watched:
    """A part of the world, each call of which is a point."""

    def __init__(self, real: Any, name: str, points: Points) -> None:
        self._real, self._name, self._points = real, name, points

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name in ("tasks", "fields"):
            return Watched(value, f"{self._name} {name}", self._points)
        if name == "pages":
            return self._pages
        if name not in CALLS:
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._points.reached(f"{self._name} {name}")
            return value(*args, **kwargs)

        return call

    def _pages(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for page in self._real.pages(*args, **kwargs):
            self._points.reached(f"{self._name} page")
            yield page


_listener: tuple[Points, Path] | None = None


@contextmanager
def watched(life: Life, points: Points) -> Iterator[None]:
    """While this lasts, the life's process ends where `points` says, with a Crash."""

    def statement(_: Any, __: Any, sql: str, *___: Any) -> None:
        points.reached(" ".join(sql.split()[:3])[:40])

    def commit(_: Any) -> None:
        points.reached("COMMIT")

    global _listener
    plain = life.watch
    life.watch = lambda part, name: Watched(part, name, points)
    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", commit)
    _listener = (points, life.home)
    try:
        with _lake_points(points):
            yield
    finally:
        _listener = None
        event.remove(Engine, "before_cursor_execute", statement)
        event.remove(Engine, "commit", commit)
        life.watch = plain


@contextmanager
def _lake_points(points: Points) -> Iterator[None]:
    """Each commit of the lake is a point, wherever it is made."""
    whole = [(owner, name, vars(owner).get(name)) for owner, name in LAKE]
    for owner, name, _ in whole:
        setattr(owner, name, _reported(getattr(owner, name), name, points))
    try:
        yield
    finally:
        for owner, name, real in whole:
            if real is None:  # it was inherited
                delattr(owner, name)
            else:
                setattr(owner, name, real)


def _reported(real: Any, name: str, points: Points) -> Any:
    @wraps(real)
    def commits(*args: Any, **kwargs: Any) -> Any:
        points.reached(f"lake {name}")
        return real(*args, **kwargs)

    return staticmethod(commits) if hasattr(real, "__self__") else commits


def _audit(what: str, about: tuple[Any, ...]) -> None:
    """Python tells of every file it is about to change; hooks stay for good, so this one mostly sleeps."""
    if _listener is None or (what not in FILES and what != "open"):
        return
    points, home = _listener
    if not isinstance(about[0], str | Path) or not str(about[0]).startswith(str(home)):
        return
    if what == "open" and not set(str(about[1])) & set("wax+"):
        return
    points.reached(f"file {what}")


sys.addaudithook(_audit)
