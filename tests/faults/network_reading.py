"""Extract reads one stream through the gateway: nothing of it may get lost."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select

from rescore.connectors.base import Cursor
from rescore.connectors.hubspot import HubSpot
from rescore.errors import RescoreError
from rescore.lake.lake import Lake
from rescore.lake.records import Page
from rescore.ledger import tables
from rescore.outcome import Kind, outcome_of
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from tests.faults.network_desk import Desk, Facts, Trial


class ReadTrial(Trial):
    """Extract reads one stream into a lake."""

    def __init__(self, desk: Desk, stream: str) -> None:
        super().__init__(desk, desk.ledger("adopted", lambda world: world.adopt() and None))
        self._stream = stream
        self._lake = desk.folder / uuid.uuid4().hex
        nowhere = desk.folder / "nowhere"
        lake = Lake(str(self._lake), buckets=1)
        self._ws = Workspace(self.ledger, lake, nowhere, nowhere, nowhere, nowhere)
        self._whole = self._limited = False

    def run(self, url: str, seconds: float) -> None:
        self._whole = self._limited = False
        source = OneStream(self.desk.hubspot(url, seconds), self._stream)
        counts = extract(self._ws, source, until=self.now, known_at=self.now)
        self._limited = bool(counts["streams to go on with"])
        self._whole = not self._limited

    def observed(self) -> Kind | str:
        """A limit ends a first reading for now, without failing the task."""
        return "quota" if self._limited else read_kind(self.error)

    def judge(self, kind: Kind, *, some: bool, wish: float | None) -> Iterator[str]:
        yield from self.said_plainly()

    def owed(self) -> bool:
        return not self._whole

    def wait(self) -> None:
        self.now += timedelta(hours=2)

    def at_rest(self) -> Iterator[str]:
        landed_facts = self.facts()
        if self._truth != landed_facts:  # what a page without rows hid comes with the next one
            self.wait()
            self.attempt(self.desk.gateway.address)
            landed_facts = self.facts()
        names = ("activities", "leads", "dirty leads")
        for name, expected, landed in zip(names, self._truth, landed_facts, strict=True):
            if missing := expected - landed:
                yield f"{len(missing)} of {len(expected)} {name} are lost"
            if more := landed - expected:
                yield f"{len(more)} {name} are nobody's"

    def facts(self) -> Facts:
        """What has landed, and who has to be scored."""
        with self._ws.lake.facts() as facts:
            sql = facts.connection.sql
            acts = sql(
                f'SELECT source, activity_id, count(*) FROM "{facts.activities}" GROUP BY ALL'
            ).fetchall()
            leads = sql(f'SELECT DISTINCT lead FROM "{facts.leads}"').fetchall()
        with self.ledger.reading() as connection:
            dirty = connection.scalars(select(tables.dirty.c.lead)).all()
        return frozenset(acts), frozenset(leads), frozenset(dirty)

    @cached_property
    def _truth(self) -> Facts:
        """The same without any fault, as the CRM is now: earlier trials made tasks and wrote scores."""
        calm = ReadTrial(self.desk, self._stream)
        calm.wait()
        calm.attempt(self.desk.gateway.address)
        found = calm.facts()
        calm.close()
        return found

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._lake, ignore_errors=True)


class OneStream:
    """One stream of a source."""

    def __init__(self, source: HubSpot, stream: str) -> None:
        self.name, self.streams = source.name, (stream,)
        self._source = source

    def pages(self, stream: str, cursor: Cursor | None, *, until: datetime) -> Iterator[Page]:
        return self._source.pages(stream, cursor, until=until)


def read_kind(error: RescoreError | None) -> Kind:
    """Of an operation that only looks: what is unknown had no effect."""
    kind = "ok" if error is None else outcome_of(error).kind
    return "transient" if kind == "unknown" else kind
