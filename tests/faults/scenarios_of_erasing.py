"""A person is erased while the CRM's news about them is being landed, over a real lake."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rescore.erased import Erased
from rescore.errors import RescoreError
from rescore.lake.lake import Lake
from rescore.lake.landing import Landed
from rescore.lake.records import ActivityRecord, Page
from rescore.ledger import tables
from rescore.ledger.people import tombstones
from rescore.pipeline.erase import ask_to_erase, resume
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from tests.faults.scenarios import Surroundings
from tests.faults.schedules import Scenario, Verdict
from tests.faults.turns import Scene
from tests.ledger.world import MINUTE

EVE = "crm:eve"


class WithLake(Surroundings):
    """A world to which a lake belongs: its files are kept and put back with everything else."""

    def __init__(self, lake: Path, stream: str) -> None:
        super().__init__()
        self.lake = lake
        self.crm.streams = (stream,)

    def state(self) -> object:
        files = sorted(file for file in self.lake.rglob("*") if file.is_file())
        news = sorted((stream, repr(rows)) for stream, rows in self.crm._log.items())
        return (
            super().state(),
            news,
            [(str(file), hashlib.sha256(file.read_bytes()).digest()) for file in files],
        )

    def __getstate__(self) -> dict[str, Any]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            if self.lake.exists():
                tar.add(self.lake, arcname=".")
        return {**self.__dict__, "packed": packed.getvalue()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        packed = state.pop("packed")
        self.__dict__.update(state)
        shutil.rmtree(self.lake, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(self.lake, filter="fully_trusted")


class SteppedLake(Lake):
    """A lake whose writers give way before they write."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(str(scene.outside.lake), buckets=1)
        self._scene = scene

    def land(self, *args: Any, erased: Erased, **how: Any) -> Landed:
        """See `Lake`."""
        self._scene.pause()
        try:
            landed = super().land(*args, erased=erased, **how)
        except RescoreError as error:
            self._scene.saw(str(error))
            raise
        self._scene.saw(replace(landed, leads=dict(sorted(landed.leads.items()))))
        return landed

    def erase(self, *args: Any, **how: Any) -> Any:
        """See `Lake`."""
        self._scene.pause()
        return super().erase(*args, **how)


class SeenCrm:
    """The CRM; whoever reads a page of it knows that page."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.name, self.streams = scene.outside.crm.name, scene.outside.crm.streams

    def pages(self, *args: Any, **how: Any) -> Iterator[Page]:
        """See `Source`."""
        for page in self._scene.outside.crm.pages(*args, **how):
            self._scene.saw(page)
            yield page


def workspace(scene: Scene) -> Workspace:
    """The scene's ledger and lake, and folders in which nothing is."""
    home = Path(str(scene.ledger.url.database)).parent
    return Workspace(scene.ledger, SteppedLake(scene), home, home, home / "reports", home / "policy.yaml")


def news_of_eve(scene: Scene) -> None:
    """Eve and Bob are known; there is news of both, and somebody has asked to erase her."""
    scene.outside = WithLake(Path(str(scene.ledger.url.database)).parent / "lake", "activities")
    crm, now = scene.outside.crm, scene.outside.now
    for number, lead in enumerate(("eve", "bob")):
        crm.put_activity(ActivityRecord(f"old-{number}", lead, "page_view", now))
    extracts(scene)
    for number, lead in enumerate(("eve", "bob")):
        crm.put_activity(ActivityRecord(f"new-{number}", lead, "page_view", now))
    ask_to_erase(workspace(scene), [EVE], by="rita", at=now)
    with scene.ledger.transaction() as connection:
        tombstones.since(connection, now)  # makes the salt, which is by chance
    scene.outside.now += MINUTE


def extracts(scene: Scene) -> None:
    """The task of that name."""
    now = scene.now
    extract(workspace(scene), SeenCrm(scene), until=now, known_at=now)


def erases(scene: Scene) -> None:
    """The DAG of that name."""
    resume(workspace(scene), at=scene.now)


def forgotten(scene: Scene) -> Verdict:
    """After the next extract nothing knows Eve, and nothing of Bob is lost."""
    scene.outside.now += MINUTE
    extracts(scene)
    found = []
    with workspace(scene).lake.facts() as facts:
        query = f'SELECT lead, activity_id FROM "{facts.activities}"'
        landed = sorted(facts.connection.sql(query).fetchall())
    if landed != [("crm:bob", "new-1"), ("crm:bob", "old-1")]:
        found.append(f"the lake has {landed}")
    with scene.ledger.reading() as connection:
        for table in tables.metadata.sorted_tables:
            if any(EVE in repr(tuple(row)) for row in connection.execute(table.select())):
                found.append(f"a row of {table.name} names her")
        if not tombstones.read(connection).lead(EVE):
            found.append("she has no tombstone")
    return Verdict(tuple(found))


ALL = (Scenario("erase and extract", news_of_eve, {"erase": erases, "extract": extracts}, forgotten),)
