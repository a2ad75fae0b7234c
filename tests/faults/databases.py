"""Faults of the ledger's database at every step of the pipeline, on SQLite and PostgreSQL.

The step fails in one sentence and nothing is lost: the next runs, or its retry, go on where it ended.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from rescore.delivery.automations import run_automations
from rescore.delivery.crm import update_crm
from rescore.errors import RescoreError
from rescore.ledger.migrate import require_current
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.extract import extract
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.reconcile import read_back, rescue
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.score import score, start_runs
from tests.faults import homes, story
from tests.faults.database_faults import FAULTS, DatabaseFault, Relay, Trouble, later
from tests.faults.homes import BOTH, Database, Snapshot
from tests.faults.life import LONGER_THAN_ANY_LEASE, QUARTER, Life
from tests.faults.report import Layer, Say
from tests.faults.stage import broken
from tests.support import databases

TARGET, SHORT, SEED = 205, 8, 20261102
REFUSED_TO_THE_LAKE_TOO = {"extract", "score"}
"""Steps that write files of their own: where the disk refuses, that is another story."""


@dataclass
class Run:
    """One run of the pipeline, step by step, each in a task of its own."""

    life: Life
    keys: list[str] = field(default_factory=list)

    def adopt(self) -> None:
        adopt_rules(self.life.ws, at=self.life.now, by="the story")

    def extract(self) -> None:
        extract(self.life.ws, self.life.world.crm, until=self.life.now, known_at=self.life.now)

    def start(self) -> None:
        run_id = f"run-{self.life.runs}"
        self.keys = start_runs(self.life.ws, run_id=run_id, as_of=self.life.now, at=self.life.now)

    def score(self) -> None:
        for key in self.keys:
            score(self.life.ws, key)

    def deltas(self) -> None:
        for key in self.keys:
            stage_deltas(self.life.ws, key)

    def gate(self) -> None:
        for key in self.keys:
            promote_or_hold(self.life.ws, key, at=self.life.now, chunk=2)

    def update_crm(self) -> None:
        ws, now = self.life.ws, self.life.now
        mapping = self.life.mapping()
        update_crm(
            ws.ledger, self.life.world.crm, mapping=mapping, now=now, worker="w", merged=ws.lake.canonical
        )

    def run_automations(self) -> None:
        run_automations(self.life.ws.ledger, self.life.senders(), now=self.life.now, worker="w")

    def reconcile(self) -> None:
        ledger, crm = self.life.ws.ledger, self.life.world.crm
        rescue(ledger, now=self.life.now)
        read_back(ledger, crm, mapping=self.life.mapping(), now=self.life.now, everybody=True)


STEPS: dict[str, Callable[[Run], None]] = {
    name: getattr(Run, name)
    for name in (
        "adopt", "extract", "start", "score", "deltas", "gate", "update_crm", "run_automations", "reconcile"
    )
}  # fmt: skip

COMMITS = {"adopt": 3, "extract": 5, "gate": 4, "update_crm": 3, "run_automations": 6, "reconcile": 2}
"""How many transactions a step makes, where it makes several: the ledger may also go between two of them."""


def _news(life: Life) -> None:
    """People look at pricing and cross, one record is locked, and somebody annotates the rules."""
    story.CHAPTERS[1].happens(life)
    life.write("rules/b2b_saas.yaml", story.RULES + "# somebody thought aloud\n")


NEWS = story.Chapter("news", _news, lambda life: life.run())


@dataclass(frozen=True)
class Cell:
    """One fault at one step."""

    fault: DatabaseFault
    step: str

    def __str__(self) -> str:
        return f"{self.fault.database}, {self.step}: {self.fault.name}"


def cells() -> list[Cell]:
    """All there are: trouble before a step, and between its transactions."""
    before = [
        Cell(fault, step)
        for fault in FAULTS
        for step in STEPS
        if fault.name != "writes refused by the disk" or step not in REFUSED_TO_THE_LAKE_TOO
    ]
    return before + [
        Cell(fault, step)
        for step, number in COMMITS.items()
        for through in range(1, number)
        for fault in later(through)
    ]


def run(short: bool, say: Say) -> Layer:
    """Every cell, or a fixed sample of each database."""
    every = cells()
    if short:
        chosen = random.Random(SEED)
        halves = [[cell for cell in every if cell.fault.database == database] for database in BOTH]
        every = [cell for half in halves for cell in chosen.sample(half, SHORT // 2)]
    layer = Layer("database faults x steps", SHORT if short else TARGET)
    with homes.scratch() as place, ExitStack() as rest:
        begins = {database: rest.enter_context(begun(place, database)) for database in BOTH}
        for number, cell in enumerate(every):
            layer.violations += play(begins[cell.fault.database], place, cell, retry=number % 2 == 0)
            layer.done += 1
            if not short and layer.done % 20 == 0:
                say(f"databases: {layer.done} of {len(every)} cells, {len(layer.violations)} violations")
    return layer


def play(begins: Snapshot, place: Path, cell: Cell, *, retry: bool) -> list[str]:
    """What of the contract one cell breaks; after the fault comes a retry of the step, or the next run."""
    with begins.live(place) as life, ExitStack() as rest:
        trouble = Trouble(life)
        if begins.template is not None:
            server, direct = make_url(databases.server_url()), life.url
            relay = rest.enter_context(Relay(server))
            trouble = Trouble(life, relay, direct)
            life.url = relay.url(str(make_url(direct).database))
            life.reopen()
        try:
            found = list(_live(trouble, cell, retry=retry))
        except Exception as error:  # the harness reports whatever it was
            found = [f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"]
        life.close()
    return [f"{cell}: {problem}" for problem in found]


def _live(trouble: Trouble, cell: Cell, *, retry: bool) -> Iterator[str]:
    life = trouble.life
    NEWS.happens(life)
    life.now += QUARTER
    life.runs += 1
    run_ = Run(life)
    for name, step in STEPS.items():
        if name != cell.step:
            _task(life, run_, step)
            continue
        error = None
        with cell.fault.during(trouble):
            try:
                _task(life, run_, step)
            except RescoreError as raised:
                error = raised
        yield from _judge(cell, error)
        if error is not None and not retry:
            break
        if error is not None:
            _task(life, run_, step)
    life.now += LONGER_THAN_ANY_LEASE
    life.reconcile()
    if not life.settle():
        yield "the runs do not come to rest"
    yield from broken(life, NEWS)


def _task(life: Life, run_: Run, step: Callable[[Run], None]) -> None:
    """As a task does it: look at the ledger, then work."""
    require_current(life.ws.ledger)
    step(run_)


def _judge(cell: Cell, error: RescoreError | None) -> Iterator[str]:
    """One clear sentence of the right kind."""
    if error is None:
        if cell.fault.name != "one serialization failure":
            yield "is not noticed"
        return
    text = str(error)
    if cell.fault.error is None or not isinstance(error, cell.fault.error):
        yield f"is {type(error).__name__}: {text}"
    if (
        "\n" in text
        or not 20 < len(text) < 300
        or any(word in text for word in ("SELECT", "psycopg", "sqlite3"))
    ):
        yield f"says {text[:200]!r}"


@contextmanager
def begun(place: Path, database: Database) -> Iterator[Snapshot]:
    """A deployment after its first load."""
    with homes.new_life(place, database) as life:
        story.begin(life)
        story.CHAPTERS[0].happens(life)
        story.CHAPTERS[0].act(life)
        life.settle()
        begins = homes.take(life, place / f"begun-{database}", database)
    try:
        yield begins
    finally:
        if begins.template is not None:
            databases.drop(begins.template)
