"""Actors that take turns: functions that call the product, and give way before whatever others notice.

An actor gives way before each transaction of the ledger and each call to the world outside. What it does from
one such moment to the next is one step, and steps never overlap: on SQLite because transactions do not, and
because a reader sees one moment.
"""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import greenlet
from sqlalchemy import Connection, event

from rescore.delivery import passing
from rescore.errors import RescoreError
from rescore.ledger.outbox import leases
from rescore.ledger.transaction import Ledger

State = bytes
"""A digest of all rows, of the world and of the clock."""

Standing = tuple[int, bytes] | None
"""How many steps an actor has taken and a digest of all it has read; None when it is done."""

_Rows = dict[str, list[tuple[Any, ...]]]


class Outside(Protocol):
    """The world around the ledger; it can be pickled. `now` is everybody's clock."""

    now: datetime

    def state(self) -> object:
        """All that anybody can see of it, as something with a canonical `repr`."""
        ...


class Scene:
    """A ledger and a world that can be put back to where they were, and the actors' turns."""

    def __init__(self, file: Path, outside: Outside) -> None:
        self.outside: Any = outside
        self.ledger = _SteppedLedger(f"sqlite:///{file}", self)
        self._rows = sqlite3.connect(file, isolation_level=None)
        named = self._rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        self._tables = [name for (name,) in named]
        self._kept: dict[State, tuple[_Rows, bytes]] = {}
        self._turn: Actor | None = None
        self._fused = False

    @property
    def now(self) -> datetime:
        """What the clock shows whoever looks at it."""
        now: datetime = self.outside.now
        self.saw(now)
        return now

    def keep(self) -> State:
        """The name of the present state, to which `restore` leads back; equal states have one name."""
        rows = self._read()
        found = hashlib.sha256(repr((self.outside.now, self.outside.state())).encode())
        for name in self._tables:
            found.update(f"{name}{sorted(map(repr, rows[name]))}".encode())
        state = found.digest()
        if state not in self._kept:
            self._kept[state] = (rows, pickle.dumps(self.outside))
        return state

    def restore(self, state: State) -> None:
        """Every row and the world as they were."""
        rows, world = self._kept[state]
        self.outside = pickle.loads(world)
        present = self._read()
        self._rows.execute("BEGIN IMMEDIATE")
        for name in self._tables:
            if present[name] != rows[name]:
                self._rows.execute(f"DELETE FROM {name}")
                for row in rows[name]:
                    self._rows.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
        self._rows.execute("COMMIT")

    def close(self) -> None:
        """Give everything back."""
        self.ledger.close()
        self._rows.close()

    def pause(self) -> None:
        """Give way: what follows is another step."""
        if self._turn is not None and not self._fused:
            self._turn.pause()

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """What happens in here is one step; for what nobody else in the scenario could notice a part of."""
        self.pause()
        self._fused = True
        try:
            yield
        finally:
            self._fused = False

    def saw(self, what: object) -> None:
        """Whoever's turn it is knows this from now on."""
        if self._turn is not None:
            self._turn.saw(what)

    def slow(self, part: str) -> Any:
        """A part of the world that takes its time: whoever calls it gives way first."""
        return _Slow(part, self)

    def _read(self) -> _Rows:
        return {name: self._rows.execute(f"SELECT * FROM {name}").fetchall() for name in self._tables}

    def lease_id(self) -> str:
        """Counted by actor, so that equal states are equal; at random in the product."""
        if self._turn is None:
            return f"{0:012}"
        self._turn.leases += 1
        return f"{self._turn.name[:6]:0>6}{self._turn.leases:06}"

    @contextmanager
    def turn_of(self, actor: Actor) -> Iterator[None]:
        """Until the end of a step."""
        self._turn = actor
        try:
            yield
        finally:
            self._turn = None


class Actor:
    """One of those who act at the same time; `seen` is a digest of all it has read."""

    def __init__(self, name: str, act: Callable[[Scene], None], scene: Scene) -> None:
        self.name, self.steps, self.leases, self.seen = name, 0, 0, b""
        self.trouble: str | None = None
        self._scene = scene
        self._begins = False
        self._life = greenlet.greenlet(lambda: self._lives(act))
        with scene.turn_of(self):
            self._life.switch()  # up to its first step

    @property
    def standing(self) -> Standing:
        """Where it is; what it does next follows from that and from the state."""
        return None if self._life.dead else (self.steps, self.seen)

    def step(self) -> None:
        """One step."""
        self.steps += 1
        with self._scene.turn_of(self):
            self._life.switch()

    def pause(self) -> None:
        """Let the others have their turns; the first look at the clock is one step with what follows."""
        if self._begins:
            self._begins = False
            return
        assert self._life.parent is not None
        self._life.parent.switch()

    def saw(self, what: object) -> None:
        """See `Scene.saw`."""
        self.seen = hashlib.sha256(self.seen + repr(what).encode()).digest()

    def _lives(self, act: Callable[[Scene], None]) -> None:
        self.pause()
        self._begins = True
        try:
            act(self._scene)
        except RescoreError as error:
            self.trouble = f"{type(error).__name__}"  # a task that fails with one sentence


class _SteppedLedger(Ledger):
    """A ledger each transaction of which is a step; what is read in one, its actor has seen."""

    def __init__(self, url: str, scene: Scene) -> None:
        super().__init__(url)
        self._scene = scene
        event.listen(self._engine, "do_connect", self._watched)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """See `Ledger`."""
        self._scene.pause()
        with super().transaction() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Ledger`."""
        self._scene.pause()
        with super().reading() as connection:
            yield connection

    def _watched(self, _: Any, __: Any, ___: Any, how: dict[str, Any]) -> None:
        scene = self._scene

        class Cursor(sqlite3.Cursor):
            def execute(self, *statement: Any) -> Any:
                result = super().execute(*statement)
                scene.saw(self.rowcount)
                return result

            def executemany(self, *statement: Any) -> Any:
                result = super().executemany(*statement)
                scene.saw(self.rowcount)
                return result

            def fetchone(self) -> Any:
                row = super().fetchone()
                scene.saw(row)
                return row

            def fetchmany(self, *size: Any) -> Any:
                rows = super().fetchmany(*size)
                scene.saw(rows)
                return rows

            def fetchall(self) -> Any:
                rows = super().fetchall()
                scene.saw(rows)
                return rows

        class Watched(sqlite3.Connection):
            def cursor(self, *_: Any) -> Any:
                return super().cursor(Cursor)

        how["factory"] = Watched


class _Slow:
    """See `Scene.slow`."""

    CALLS = frozenset({"write", "read", "edits", "send", "create", "of_lead", "owner_of"})

    def __init__(self, part: str, scene: Scene) -> None:
        self._part, self._scene = part, scene

    def __getattr__(self, name: str) -> Any:
        if name not in self.CALLS:
            return getattr(getattr(self._scene.outside, self._part), name)

        def call(*args: Any, **how: Any) -> Any:
            self._scene.pause()
            try:
                answer = getattr(getattr(self._scene.outside, self._part), name)(*args, **how)
            except RescoreError as error:
                self._scene.saw(str(error))
                raise
            self._scene.saw(answer)
            return answer

        return call


@contextmanager
def product_in_turns(scene: Scene) -> Iterator[None]:
    """While this lasts the product takes from the scene what it takes from chance and the machine's clock."""
    leases_are, time_is = leases.uuid4, passing.time
    leases.uuid4 = lambda: SimpleNamespace(hex=scene.lease_id())  # type: ignore[assignment,return-value]
    passing.time = SimpleNamespace(monotonic=lambda: scene.now.timestamp())  # type: ignore[assignment]
    try:
        yield
    finally:
        leases.uuid4, passing.time = leases_are, time_is  # type: ignore[assignment]
