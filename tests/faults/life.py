"""A deployment whose processes may die: its stores on disk, the world outside, every DAG's run by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from rescore.delivery.actions.crm_task import CrmTaskSender
from rescore.delivery.automations import run_automations
from rescore.delivery.crm import update_crm
from rescore.delivery.sender import Sender
from rescore.errors import RescoreError
from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.transaction import Ledger
from rescore.mapping import Mapping
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.erase import resume
from rescore.pipeline.extract import extract
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.reconcile import read_back, rescue
from rescore.pipeline.restore import notice_restore
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.score import score, start_runs
from rescore.workspace import Workspace
from tests.faults.world import World

BEGIN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LONGER_THAN_ANY_LEASE = timedelta(minutes=20)
LONGER_THAN_MOST_WAITS = timedelta(minutes=45)
RUNS_UNTIL_QUIET = 8

Watch = Callable[[Any, str], Any]
"""Puts something between the product and a part of the world, which it names."""


def unwatched(part: Any, name: str) -> Any:
    """Nothing in between."""
    return part


@dataclass(frozen=True)
class Moment:
    """A DAG run's id and time: with them it can be cleared and run again."""

    run_id: str
    as_of: datetime


@cache
def _ledger(url: str) -> Ledger:
    """Closed between two processes it knows nothing any more but how its statements are compiled."""
    return Ledger(url)


class Life:
    """One deployment: `home` and the ledger are its stores, `now` its clock.

    `trouble` are the sentences in which tasks have failed. A task that dies takes its process with it;
    `reopen` is the next process.
    """

    def __init__(self, home: Path, url: str, world: World, *, watch: Watch = unwatched) -> None:
        self.home, self.url, self.world, self.watch = home, url, world, watch
        self.now, self.runs = BEGIN, 0
        self.last: Moment | None = None
        self.trouble: list[str] = []
        self.open()

    def open(self) -> None:
        """As a process begins: new connections, nothing remembered."""
        rules, mappings = self.home / "rules", self.home / "mappings"
        lake = Lake(str(self.home / "lake"), buckets=1)
        self.ws = Workspace(
            _ledger(self.url), lake, rules, mappings, self.home / "reports", self.home / "policy.yaml"
        )

    def close(self) -> None:
        """As a process ends."""
        self.ws.ledger.close()

    def reopen(self) -> None:
        """One process ended, the next begins."""
        self.close()
        self.open()

    # ── what DAGs do ─────────────────────────────────────────────────────────────────────────────────

    def run(self, *, everybody: bool = False, again: Moment | None = None) -> None:
        """One run of `score_leads` a quarter of an hour on; or `again` one there was, as after a clear."""
        self.now += QUARTER
        if again is None:
            self.runs += 1
            again = Moment(f"run-{self.runs}", self.now)
        self.last = again
        crm = self.watch(self.world.crm, "crm")
        with self._task():
            adopt_rules(self.ws, at=self.now, by="the story")
        with self._task():
            extract(self.ws, crm, until=self.now, known_at=self.now)
        with self._task():
            keys = start_runs(
                self.ws, run_id=again.run_id, as_of=again.as_of, at=self.now, everybody=everybody
            )
            for step in (score, stage_deltas, self._promote):
                for key in keys:
                    step(self.ws, key)
        self.deliver()

    def deliver(self) -> None:
        """What is owed to the CRM and to automations' receivers, side by side."""
        with self._task():
            notice_restore(self.ws, at=self.now)
            update_crm(
                self.ws.ledger,
                self.watch(self.world.crm, "crm"),
                mapping=self.mapping(),
                now=self.now,
                worker="the story",
                merged=self.ws.lake.canonical,
            )
        with self._task():
            run_automations(self.ws.ledger, self.senders(), now=self.now, worker="the story")

    def reconcile(self, *, everybody: bool = False) -> None:
        """The DAG of that name; and `erase_lead` with an empty form."""
        with self._task():
            notice_restore(self.ws, at=self.now)
            rescue(self.ws.ledger, now=self.now)
        with self._task():
            crm = self.watch(self.world.crm, "crm")
            read_back(self.ws.ledger, crm, mapping=self.mapping(), now=self.now, everybody=everybody)
        with self._task():
            resume(self.ws, at=self.now)

    def settle(self) -> bool:
        """Runs until one of them tells the world nothing and nothing is owed; whether there was one."""
        for _ in range(RUNS_UNTIL_QUIET):
            before = self.world.effects()
            self.run()
            if self.world.effects() == before and not self.owed():
                return True
            self.now += LONGER_THAN_MOST_WAITS
        return False

    def owed(self) -> int:
        """How many writes and deliveries wait for a later run."""
        with self.ws.ledger.reading() as connection:
            return sum(
                connection.scalar(select(func.count()).where(table.c.state == "due")) or 0
                for table in (tables.sync, tables.delivery)
            )

    def _promote(self, ws: Workspace, key: str) -> Counter[str]:
        return promote_or_hold(ws, key, at=self.now, chunk=2)

    @contextmanager
    def _task(self) -> Iterator[None]:
        """What fails in one sentence fails alone; anything else is a violation, or the end of the process."""
        try:
            yield
        except RescoreError as error:
            self.trouble.append(f"{type(error).__name__}: {error}")

    # ── what stands around it ────────────────────────────────────────────────────────────────────────

    def mapping(self) -> Mapping:
        """The CRM's."""
        return self.ws.mappings()["hubspot"]

    def senders(self) -> dict[str, Sender]:
        """One for each kind of delivery that the story sets off."""
        crm = self.watch(self.world.crm, "crm")
        return {
            "webhook": self.watch(self.world.receiver, "receiver"),
            "email": self.watch(self.world.mailbox, "mailbox"),
            "crm_task": CrmTaskSender(
                lambda name: crm, lambda name: self.ws.mappings()[name], self.ws.lake.canonical
            ),
        }

    def write(self, name: str, text: str) -> None:
        """Somebody saves a file of the deployment."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
