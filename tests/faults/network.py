"""Every fault of the network at every operation, over real sockets, until it is over and all is well."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rescore.outcome import Kind
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.faults import homes
from tests.faults.network_desk import BEGIN, Desk, Trial
from tests.faults.network_docs import write_docs as write_docs
from tests.faults.network_faults import FAULTS, Fault
from tests.faults.network_gateway import gateway
from tests.faults.network_mail import MAIL_FAULTS, MailDesk, MailFault, MailTrial, mail_desk
from tests.faults.network_operations import OPERATIONS, Operation
from tests.faults.report import Layer, Say
from tests.support import databases

TARGET, SHORT = 720, 40
SEED, WORKERS, PARTS = 20261102, 2, 24
LOOPBACK = "http://127.0.0.1:* https://127.0.0.1:* http://*.invalid"
UNTIL_REST = 8
PATIENCE = (0.4, 6.0)
"""Seconds for a call that shall run out of them; more of them on a machine that is too busy for the first."""


@dataclass(frozen=True)
class Place:
    """A worker's: everything that cells are played at."""

    desk: Desk
    mail: MailDesk


@dataclass(frozen=True)
class Cell:
    """One fault at one operation over HTTP."""

    operation: Operation
    fault: Fault

    def __str__(self) -> str:
        return f"{self.operation.name}: {self.fault.name}"

    @property
    def slow(self) -> bool:
        """Whether somebody has to run out of time."""
        return self.fault.slow

    def live(self, place: Place, seconds: float) -> Iterator[str]:
        """Begin, play and look."""
        gateway, fault = place.desk.gateway, self.fault
        trial = self.operation.begin(place.desk)
        gateway.fault, gateway.hits, gateway.played = fault.play, self.operation.hits, 0
        url = fault.place(gateway) if fault.place else gateway.address
        try:
            kind = fault.kinds[self.operation.family]
            yield from _in_trouble(
                trial, kind, url, seconds, some=fault.some, wish=fault.wish, slow=fault.slow
            )
            if fault.play and not gateway.played:
                yield "was never played"
            gateway.fault = None
            yield from _to_rest(trial)
            if self.operation.family not in ("read", "back"):
                calls = gateway.calls
                trial.attempt(gateway.address)
                if gateway.calls != calls:
                    yield f"makes {gateway.calls - calls} calls when nothing is owed"
        finally:
            gateway.fault = None
            gateway.quiet()
            trial.close()


@dataclass(frozen=True)
class MailCell:
    """One fault of a mail server."""

    fault: MailFault

    def __str__(self) -> str:
        return f"e-mail: {self.fault.name}"

    @property
    def slow(self) -> bool:
        """Whether somebody has to run out of time."""
        return self.fault.slow

    def live(self, place: Place, seconds: float) -> Iterator[str]:
        """Begin, play and look."""
        trial = MailTrial(place.desk, place.mail)
        trial.fault = place.mail.fault = self.fault
        place.mail.played = 0
        try:
            yield from _in_trouble(trial, self.fault.kind, "", seconds, slow=self.fault.slow)
            if self.fault.step and not place.mail.played:
                yield "was never played"
            trial.fault = place.mail.fault = None
            yield from _to_rest(trial)
            taken = len(place.mail.taken)
            trial.attempt("")
            if len(place.mail.taken) != taken:
                yield "is sent again when nothing is owed"
        finally:
            trial.close()


def _in_trouble(
    trial: Trial,
    kind: Kind,
    url: str,
    seconds: float,
    *,
    some: bool = False,
    wish: float | None = None,
    slow: bool = False,
) -> Iterator[str]:
    """Two runs under the fault, one where they take time; the first is judged."""
    trial.attempt(url, seconds)
    if (seen := trial.observed()) == kind:
        yield from trial.judge(kind, some=some, wish=wish)
    else:
        yield f"is {seen} and should be {kind} ({trial.error})"
    breaker, calls = trial.breaker(), trial.desk.gateway.calls
    if breaker is not None and breaker.open_until is not None and breaker.open_until > trial.now:
        trial.attempt(url, seconds)
        if trial.desk.gateway.calls != calls:
            yield "calls a Connection that is left alone"
    trial.wait()
    if not slow:
        trial.attempt(url, seconds)
        trial.wait()


def _to_rest(trial: Trial) -> Iterator[str]:
    """Runs without the fault until nothing is owed, and a look at the world."""
    for _ in range(UNTIL_REST):
        if not trial.owed():
            break
        trial.attempt(trial.desk.gateway.address)
        trial.wait()
    yield from trial.at_rest()
    if trial.now > BEGIN + timedelta(days=7):
        yield f"takes until {trial.now}"


def cells() -> list[Cell | MailCell]:
    """All there are; of the engagements, which one piece of code reads, `calls` meets every fault."""
    found: list[Cell | MailCell] = [
        Cell(operation, fault)
        for place, operation in enumerate(OPERATIONS)
        for number, fault in enumerate(FAULTS)
        if operation.family in fault.kinds and (not operation.sibling or number % 4 == place % 4)
    ]
    return found + [MailCell(fault) for fault in MAIL_FAULTS]


def sample() -> list[int]:
    """The places of the cells of the short form: every operation at least once, always the same."""
    every, chosen = cells(), random.Random(SEED)
    quick = [place for place, cell in enumerate(every) if not cell.slow]
    names = {str(every[place]).partition(":")[0] for place in quick}
    first = [
        chosen.choice([p for p in quick if str(every[p]).startswith(f"{name}:")]) for name in sorted(names)
    ]
    slow = chosen.sample([place for place, cell in enumerate(every) if cell.slow], 4)
    more = chosen.sample(sorted(set(quick) - set(first)), SHORT - len(first) - len(slow))
    return first + slow + more


def play(place: Place, cell: Cell | MailCell) -> list[str]:
    """What of the contract one cell breaks."""
    found: list[str] = []
    for seconds in PATIENCE if cell.slow else (30.0,):
        try:
            found = list(cell.live(place, seconds))
        except Exception as error:  # the harness reports whatever it was
            found = [f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"]
        if not found:
            break
    return [f"{cell}: {problem}" for problem in found]


def run(short: bool, say: Say) -> Layer:
    """Every cell, or a fixed sample."""
    every = cells()
    chosen = sample() if short else list(range(len(every)))
    layer = Layer("network faults x operations", SHORT if short else TARGET)
    with homes.scratch() as place:
        if short:
            for found in _worker((place, 0, chosen)):
                layer.done += 1
                layer.violations += found
            return layer
        random.Random(SEED).shuffle(chosen)
        jobs = [(place, number, chosen[number::PARTS]) for number in range(PARTS)]
        with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
            for results in pool.imap_unordered(_worker, jobs, chunksize=1):
                layer.done += len(results)
                broken = [problem for found in results for problem in found]
                layer.violations += broken
                for problem in broken:
                    say(f"network: {problem}")
                say(f"network: {layer.done:,} of {len(every):,} cells, {len(layer.violations)} violations")
    return layer


@contextmanager
def place_at(folder: Path) -> Iterator[Place]:
    """One worker's, in a folder of its own."""
    databases.migrated_file(folder / "empty.db")
    world = build_world(ends_at=BEGIN - timedelta(hours=1), leads=20)
    with SandboxServer(world) as server, gateway(server.url, folder) as before, mail_desk() as mail:
        server.sandbox.clock = lambda: BEGIN
        store = server.sandbox.store
        newest = store.rows("SELECT max(id) AS id FROM objects WHERE type = 'contacts' AND visible")[0]["id"]
        store.archive("contacts", newest, server.sandbox.now())
        yield Place(Desk(folder, server, before), mail)


def _worker(job: tuple[Path, int, Sequence[int]]) -> list[list[str]]:
    """The violations of each of these cells."""
    folder, number, mine = job
    own = folder / f"part-{number}"
    own.mkdir()
    os.environ["RESCORE_ALLOWED_HOSTS"] = LOOPBACK
    every = cells()
    with place_at(own) as place:
        return [play(place, every[index]) for index in mine]
