"""Ninety days of runs every fifteen minutes, in virtual time: rules change, processes die, quotas run out.

Every quarter of an hour the schedule fires. A run that has news is really made: something happened outside,
it is the first after midnight, something owed may go, or a process has died. Of the others, in which extract
finds nothing and nobody is dirty, one in `QUIET` is made, and has to tell the world nothing; the rest are
skipped, and counted as that. Every night the CRM is read back and the stores are maintained. Every thirty
days faults stop, and all promises have to hold.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import exists, func, select

from rescore.errors import CrmRateLimited, CrmUnavailable
from rescore.lake.housekeeping import drop_old_files
from rescore.lake.tables import Storage
from rescore.ledger import tables
from rescore.outcome import Outcome
from rescore.pipeline.maintain import maintain
from tests.faults import homes
from tests.faults.crash import Crash, Points, watched
from tests.faults.happenings import BERLIN, POINTS, SCORECARD, WIDE, Happenings, first_load
from tests.faults.invariants import Forgotten, one_delivery_per_crossing
from tests.faults.life import QUARTER, Life
from tests.faults.report import Layer, Say
from tests.faults.story_files import POLICY

SEED = 20261102
DAYS, SHORT_DAYS = 90, 1
RUNS_A_DAY = timedelta(days=1) // QUARTER
QUIET = 48
"""One in so many runs without news is made all the same."""

LEADS = tuple(f"lead{number}" for number in range(16))

KEPT = timedelta(days=7)
RETENTION = """\
retention:
  {stages: 1d, runs: 7d, deltas: 7d, crossings: 28d, deliveries: 7d, delivery_bodies: 1d, attempts: 1d,
   overrides: 1d, holds: 7d, plans: 8d, extracts: 35d, shadow_runs: 2d, waiting: 1d, set_aside: 1d,
   old_files: 6h}
"""
"""The shortest there may be: within ninety days everything has to have come to its bound."""

SETTLED_BY = 45
"""From this day on nothing grows any more."""

ROOM_TO_GROW = 1.5
A_REST = 30
"""Days."""

FOR_GOOD = frozenset({"rules_version", "activation"})
"""Every edit stays; there are few."""


@dataclass
class Soak:
    """One life, day by day; `sizes` are row counts, files and bytes at the end of each day."""

    does: Happenings
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    sizes: list[Counter[str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    news: bool = False
    passed: date | None = None
    aged: set[Path] = field(default_factory=set)
    deliveries: set[str] = field(default_factory=set)

    @property
    def life(self) -> Life:
        """The deployment."""
        return self.does.life

    def day(self) -> None:
        """So many times the schedule fires; then it is night."""
        for _ in range(RUNS_A_DAY):
            self._something_happens()
            if self._has_news():
                self._run()
                self.counts["with news"] += 1
            elif self.chance.randrange(QUIET) == 0:
                self._quiet_run()
            else:
                self.life.now += QUARTER
                self.counts["skipped"] += 1
        self._night()

    def _something_happens(self) -> None:
        """A few things a day."""
        chance, does, world = self.chance, self.does, self.life.world
        lead = chance.choice(LEADS)
        happenings = {
            3.0: lambda: does.view(lead, number=chance.randint(1, 4), days_ago=chance.choice([0, 0, 0, 2])),
            0.5: lambda: does.say(lead, director=chance.random() < 0.5, opted_out=chance.random() < 0.1),
            0.3: lambda: does.edit_in_crm(lead, chance.choice(["7", "77"])),
            0.15: lambda: does.edit_rules(chance.choice(POINTS)),
            0.1: lambda: does.delete(lead),
            0.4: lambda: world.crm.failures.append(CrmRateLimited("used up", retry_after=4 * 3600)),
            0.41: lambda: world.crm.failures.append(CrmUnavailable("no answer")),
            0.42: lambda: world.receiver.answers.append(Outcome("unknown", "no answer")),
            0.43: self._dies,
            0.05: lambda: does.merge(lead, chance.choice(LEADS)),
        }
        for a_day, happens in happenings.items():
            if chance.random() < a_day / RUNS_A_DAY:
                happens()
                self.news = True

    def _has_news(self) -> bool:
        today = (self.life.now + QUARTER).astimezone(BERLIN).date()
        return self.news or self.passed != today or self._somebody_is_dirty() or self._may_go()

    def _somebody_is_dirty(self) -> bool:
        """As after a rescore that applied its plan, in which somebody had newer facts."""
        with self.life.ws.ledger.reading() as connection:
            return bool(connection.scalar(select(func.count()).select_from(tables.dirty)))

    def _may_go(self) -> bool:
        """Whether something is due whose wait is over, to somebody who is not left alone."""
        at, breaker = self.life.now + QUARTER, tables.breaker
        sync, delivery = tables.sync, tables.delivery
        with self.life.ws.ledger.reading() as connection:
            return any(
                connection.scalar(
                    select(func.count()).where(
                        table.c.state == "due",
                        table.c.next_at.is_(None) | (table.c.next_at <= at),
                        ~exists().where(breaker.c.connection == to, breaker.c.open_until > at),
                    )
                )
                for table, to in ((sync, sync.c.target), (delivery, delivery.c.connection))
            )

    def _run(self) -> None:
        failed = len(self.life.trouble)
        self.life.run()
        self.news = len(self.life.trouble) > failed  # what it did not come to waits for the next one
        self.passed = self.life.now.astimezone(BERLIN).date()

    def _quiet_run(self) -> None:
        before = self._told()
        self._run()
        self.counts["quiet"] += 1
        if told := self._told() - before:
            self.violations.append(f"a run without news told the world {dict(told)}, {self.life.now}")

    def _told(self) -> Counter[str]:
        world = self.life.world
        calls = sum(map(len, world.receiver.bodies.values()))
        tasks, letters = len(world.crm.tasks.made), world.mailbox.letters.total()
        return Counter({"scores": world.crm.writes, "tasks": tasks, "calls": calls, "letters": letters})

    def _dies(self) -> None:
        """A run, or the night's work, ends somewhere."""
        act = self.chance.choice([self.life.run, self._maintain])
        try:
            with watched(self.life, Points(self.chance.randint(1, 400))):
                act()
        except Crash:
            self.life.reopen()
            self.counts["died"] += 1

    def _night(self) -> None:
        self.life.reconcile()
        with self.life.ws.ledger.reading() as connection:
            self.deliveries.update(connection.scalars(select(tables.delivery.c.delivery_id)))
            self.violations += one_delivery_per_crossing(connection, self._forgotten())
        self._maintain()
        self.news |= self.does.answer("release")
        self.sizes.append(self._size())

    def rest(self) -> None:
        """Once in a while everything has to come right."""
        found = self.does.problems(self._forgotten())
        self.violations += [f"day {len(self.sizes)}: {problem}" for problem in found]
        self.life.write("policy.yaml", POLICY % WIDE + RETENTION)

    def _forgotten(self) -> Forgotten:
        """All of the past; of what should still be there, one is missed where its crossing says so."""
        return Forgotten(frozenset(self.deliveries), self.life.now - KEPT)

    def _maintain(self) -> None:
        """Files have the age of this life, whatever the machine's clock says."""
        for file in (self.life.home / "lake").rglob("*"):
            if file.is_file() and file not in self.aged:
                at = (self.life.now - timedelta(hours=12)).timestamp()
                os.utime(file, (at, at))
                self.aged.add(file)
        maintain(self.life.ws, at=self.life.now)
        lake = Storage(str(self.life.home / "lake"))
        drop_old_files(lake, at=self.life.now, keep=timedelta(0))  # Delta dates them by the machine's clock

    def _size(self) -> Counter[str]:
        with self.life.ws.ledger.reading() as connection:
            size = Counter(
                {
                    table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                    for table in tables.metadata.sorted_tables
                }
            )
        files = [file for file in self.life.home.rglob("*") if file.is_file()]
        size["files"], size["bytes"] = len(files), sum(file.stat().st_size for file in files)
        return size

    def unbounded(self) -> list[str]:
        """What has grown since everything was to have come to its bound."""
        middle = self.sizes[SETTLED_BY - 15 : SETTLED_BY]
        found = []
        for name, size in sorted(self.sizes[-1].items()):
            bound = ROOM_TO_GROW * max(each[name] for each in middle) + 20
            if size > bound and name not in FOR_GOOD:
                found.append(f"{name} has grown to {size:,}; by day {SETTLED_BY} it was {bound:,.0f} at most")
        return found


def run(short: bool, say: Say) -> Layer:
    """One seed on SQLite; `done` are the quarters of an hour that passed, with a run or without."""
    days = SHORT_DAYS if short else DAYS
    layer = Layer("soak, quarters of an hour", days * RUNS_A_DAY)
    with homes.scratch() as place, homes.new_life(place, "sqlite") as life:
        does = first_load(life, LEADS)
        life.write("policy.yaml", POLICY % WIDE + RETENTION)
        soak = Soak(does, random.Random(SEED))
        for day in range(1, days + 1):
            soak.day()
            if day % A_REST == 0 or day == days:
                soak.rest()
            if day % 10 == 0:
                say(f"soak: day {day}, {_told(soak)}")
        layer.done = sum(soak.counts[kind] for kind in ("with news", "quiet", "skipped"))
        layer.violations += soak.violations + (soak.unbounded() if days > SETTLED_BY else [])
    say(f"soak: {days} days of {SCORECARD}, {_told(soak)}")
    return layer


def _told(soak: Soak) -> str:
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(soak.counts.items()))
    last = soak.sizes[-1]
    rows = sum(count for name, count in last.items() if name not in ("files", "bytes"))
    return f"{counts}; {rows:,} rows, {last['files']:,} files, {last['bytes'] / 1e6:.1f} MB"
