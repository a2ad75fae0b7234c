"""Real ends of real processes: SIGKILL at a commit, or at a call to a world that is another process."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Client, Connection, Listener
from operator import attrgetter
from pathlib import Path
from typing import Any

from tests.faults import stage, story
from tests.faults.crash import Points, watched
from tests.faults.homes import BOTH, Database
from tests.faults.life import Life
from tests.faults.report import Layer, Say
from tests.faults.stage import Restless, recover
from tests.faults.world import World

SEED = 20261102
TARGET, KILLS = 250, 260
SHORT_CHAPTERS, SHORT_KILLS = 2, 2
LONGEST_CHAPTER = timedelta(hours=4)


@dataclass(frozen=True)
class Kill:
    """SIGKILL at one point of a chapter."""

    database: Database
    chapter: int
    point: int

    def __str__(self) -> str:
        return f"{self.database}, {story.CHAPTERS[self.chapter].name}, killed at point {self.point}"


@dataclass(frozen=True)
class Killed:
    """What became of it; `really` when the process did die by the signal."""

    really: bool
    violations: list[str]


class Fatal(Points):
    """Points, one of which the process does not outlive."""

    def reached(self, what: str) -> None:
        """The process is about to do this."""
        self.path.append(what)
        if len(self.path) == self._end:
            os.kill(os.getpid(), signal.SIGKILL)


class WorldServer:
    """A world that answers over a socket, one process after the other."""

    def __init__(self, world: World, address: Path) -> None:
        self._world = world
        self._listener = Listener(str(address), "AF_UNIX")
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody is answered any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: Connection) -> None:
        try:
            while True:
                path, arguments, named = client.recv()
                client.send(self._told(path, arguments, named))
        except (EOFError, ConnectionError):
            client.close()  # whoever asked is gone; what it did stays done

    def _told(self, path: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[str, Any]:
        try:
            value = attrgetter(path)(self._world)
            if not callable(value):
                return "value", value
            if arguments is None:
                return "function", None
            answer = value(*arguments, **named)
            return "answer", list(answer) if path.endswith(".pages") else answer
        except Exception as error:
            return "error", error


class Distant:
    """A part of a world behind a socket."""

    def __init__(self, client: Connection, path: str) -> None:
        self._client, self._path = client, path

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}".strip(".")
        if name in ("crm", "receiver", "mailbox", "tasks", "fields"):
            return Distant(self._client, path)
        kind, value = self._ask(path, None, {})
        return (
            (lambda *arguments, **named: self._ask(path, arguments, named)[1])
            if kind == "function"
            else value
        )

    def _ask(self, path: str, arguments: tuple[Any, ...] | None, named: dict[str, Any]) -> tuple[str, Any]:
        self._client.send((path, arguments, named))
        kind, value = self._client.recv()
        if kind == "error":
            raise value
        return kind, value


def killed(kill: Kill) -> Killed:
    """Let a process live a chapter until it is killed; recover in another one, and look."""
    known = stage.here().known[kill.database][kill.chapter]
    with known.begins.live(stage.here().place) as life, _served(life) as address:
        known.chapter.happens(life)
        life.close()
        context = multiprocessing.get_context("forkserver")
        process = context.Process(
            target=_live, args=(life.home, life.url, address, life.now, life.runs, kill)
        )
        process.start()
        process.join()
        found = [] if process.exitcode in (0, -signal.SIGKILL) else ["it ended with a traceback"]
        found += _damage(life)
        life.now += LONGEST_CHAPTER
        life.runs += 10
        try:
            recover(life, known.chapter, retry=False)
        except (Restless, Exception) as error:  # the harness reports whatever it was
            found.append(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        found += known.problems(life)
        return Killed(process.exitcode == -signal.SIGKILL, [f"{kill}: {problem}" for problem in found])


@contextmanager
def _served(life: Life) -> Iterator[Path]:
    address = life.home.with_name(f"world-{os.getpid()}")
    server = WorldServer(life.world, address)
    try:
        yield address
    finally:
        server.close()
        address.unlink(missing_ok=True)


def _live(home: Path, url: str, address: Path, now: datetime, runs: int, kill: Kill) -> None:
    """The process that dies: a chapter's work, with the world behind a socket."""
    with Client(str(address), "AF_UNIX") as client:
        life = Life(home, url, Distant(client, ""))  # type: ignore[arg-type]
        life.now, life.runs = now, runs
        with watched(life, Fatal(kill.point)):
            story.CHAPTERS[kill.chapter].act(life)


def _damage(life: Life) -> list[str]:
    """What the database itself finds wrong with a file whose process was killed."""
    if not life.url.startswith("sqlite"):
        return []
    with sqlite3.connect(life.home / "ledger.db") as connection:
        checks = [
            *connection.execute("PRAGMA integrity_check"),
            *connection.execute("PRAGMA foreign_key_check"),
        ]
    connection.close()
    return [f"the file is damaged: {row}" for row in checks if row != ("ok",)]


def kills(database: Database, known: list[stage.Known], number: int) -> list[Kill]:
    """So many of all commits and calls of the story."""
    every = [Kill(database, index, point) for index, one in enumerate(known) for point in one.effects]
    return random.Random(SEED).sample(every, min(number, len(every)))


def run(short: bool, say: Say) -> list[Layer]:
    """A layer for each database."""
    chapters = story.CHAPTERS[:SHORT_CHAPTERS] if short else story.CHAPTERS
    layers = []
    with stage.told(BOTH, chapters, say) as scene, ExitStack() as rest:
        pool = None if short else rest.enter_context(stage.workers(scene))
        for database in BOTH:
            layer = Layer(f"SIGKILL, {database}", SHORT_KILLS if short else TARGET)
            layers.append(layer)
            cases = kills(database, scene.known[database], SHORT_KILLS if short else KILLS)
            for number, one in enumerate(stage.play(scene, cases, killed, pool), 1):
                layer.done += one.really
                layer.violations += one.violations
                for problem in one.violations:
                    say(f"  {problem}")
                if number % 50 == 0:
                    say(f"{layer.name}: {number:,} of {len(cases):,}, {len(layer.violations)} violations")
    return layers
