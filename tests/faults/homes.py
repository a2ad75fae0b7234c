"""Places to live in: fresh stores on either database, and copies of them as they were at some moment."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rescore.ledger.migrate import migrate
from rescore.ledger.transaction import Ledger
from tests.faults.life import Life, Watch, unwatched
from tests.faults.world import World
from tests.support import databases

Database = Literal["sqlite", "postgresql"]
BOTH: tuple[Database, ...] = ("sqlite", "postgresql")
IN_MEMORY = Path("/dev/shm")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the time being, in memory where the machine has that."""
    place = Path(tempfile.mkdtemp(prefix="rescore-faults-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True)
class Snapshot:
    """A life as it was: its folder, its world and clock in one pickle, on PostgreSQL a database to copy."""

    folder: Path
    database: Database
    template: str | None = None

    @contextmanager
    def live(self, place: Path, *, watch: Watch = unwatched) -> Iterator[Life]:
        """A copy of it, to go on from; gone at the end."""
        home = place / f"process-{os.getpid()}"  # the same for every copy, and so is its database's name
        shutil.copytree(self.folder / "home", home)
        url = f"sqlite:///{home / 'ledger.db'}"
        if self.template is not None:
            url = databases.copy_of(self.template, f"faults_{os.getpid()}")
        life = _thawed(self.folder, home, url, watch)
        try:
            yield life
        finally:
            life.close()
            if self.template is not None:
                databases.drop(url)
            shutil.rmtree(home)


def take(life: Life, folder: Path, database: Database) -> Snapshot:
    """Keep a life as it is now; nobody may be connected to its ledger but itself."""
    life.close()
    folder.mkdir(parents=True)
    shutil.copytree(life.home, folder / "home")
    state = {"world": life.world, "now": life.now, "runs": life.runs}
    (folder / "state").write_bytes(pickle.dumps(state))
    template = None if database == "sqlite" else databases.copy_of(life.url)
    life.open()
    return Snapshot(folder, database, template)


@contextmanager
def new_life(place: Path, database: Database) -> Iterator[Life]:
    """An installed deployment with empty stores."""
    home = place / uuid.uuid4().hex
    home.mkdir()
    if database == "sqlite":
        databases.migrated_file(home / "ledger.db")
        life = Life(home, f"sqlite:///{home / 'ledger.db'}", World())
        yield life
        life.close()
        return
    with databases.new_database() as url:
        ledger = Ledger(url)
        migrate(ledger)
        ledger.close()
        life = Life(home, url, World())
        yield life
        life.close()


def _thawed(folder: Path, home: Path, url: str, watch: Watch) -> Life:
    state: dict[str, Any] = pickle.loads((folder / "state").read_bytes())
    life = Life(home, url, state["world"], watch=watch)
    life.now, life.runs = state["now"], state["runs"]
    return life
