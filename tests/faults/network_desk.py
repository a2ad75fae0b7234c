"""What every trial at the network shares: a CRM behind the gateway, ledgers to copy, and how a trial goes."""

from __future__ import annotations

import json
import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from rescore.connectors.catalog import read_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import RescoreError
from rescore.ledger import tables
from rescore.ledger.outbox import breakers
from rescore.ledger.outbox.breakers import FOR_GOOD, Breaker
from rescore.ledger.transaction import Ledger
from rescore.mapping import Mapping as CrmMapping
from rescore.outcome import CONSEQUENCES, Kind
from sandbox_crm.testing import SandboxServer
from tests.faults.network_gateway import Gateway
from tests.ledger.world import MONDAY, World

HUBSPOT_YAML = Path(__file__).parents[2] / "include" / "mappings" / "hubspot.yaml"
BEGIN = MONDAY + timedelta(hours=1)
LONGEST_WISH = timedelta(days=2, minutes=1)

Facts = tuple[frozenset[Any], ...]
"""What has landed: activities, leads, and who has to be scored."""


class Sleepless:
    """A clock that only moves when somebody sleeps, for whoever waits out a limit."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Desk:
    """What all trials of a worker share: a CRM, the gateway before it, and ledgers to copy."""

    folder: Path
    server: SandboxServer
    gateway: Gateway

    def __post_init__(self) -> None:
        mapping = read_mapping(HUBSPOT_YAML)
        shown_as = mapping.scores["b2b_saas"]
        self.mapping: CrmMapping = mapping.model_copy(update={"scores": {"b2b": shown_as}})
        self.hubspot(self.gateway.address).setup()
        rows = self.server.sandbox.store.rows(
            "SELECT id FROM objects WHERE type = 'contacts' AND visible ORDER BY id LIMIT 5"
        )
        self.leads = [int(row["id"]) for row in rows]

    def hubspot(self, url: str, seconds: float = 30.0) -> HubSpot:
        """The product's own client; it does not really sleep."""
        clock = Sleepless()
        limits = Limits(
            calls=10**6, searches=10**6, batch=3, search_page=15, seconds=seconds, waits=2, write_seconds=300
        )
        base = url if "://" in url else f"http://{url}"
        return HubSpot(base, self.server.token, self.mapping, limits, clock=clock, sleep=clock.sleep)

    def ledger(self, name: str, fill: Callable[[World], None], **world: Any) -> Ledger:
        """A copy of the ledger of that name, which `fill` makes when it is first asked for."""
        template = self.folder / f"{name}.template"
        if not template.exists():
            shutil.copy(self.folder / "empty.db", self.folder / f"{name}.db")
            ledger = Ledger(f"sqlite:///{self.folder / name}.db")
            fill(World(ledger, **world))
            ledger.close()
            shutil.move(self.folder / f"{name}.db", template)
        copy = self.folder / f"{uuid.uuid4().hex}.db"
        shutil.copy(template, copy)
        return Ledger(f"sqlite:///{copy}")

    def shown(self, lead: int, name: str) -> str | None:
        """What the CRM shows."""
        row = self.server.sandbox.store.objects("contacts", [lead])[lead]
        value: str | None = json.loads(row["properties"]).get(name)
        return value

    def show(self, lead: int, **values: str | None) -> None:
        """Put the CRM into a state."""
        self.server.sandbox.store.write(lead, values, self.server.sandbox.now())


class Trial(ABC):
    """One operation's debt, and its life until nothing is owed; `now` is its clock."""

    def __init__(self, desk: Desk, ledger: Ledger) -> None:
        self.desk, self.ledger, self.now = desk, ledger, BEGIN
        self.error: RescoreError | None = None

    @abstractmethod
    def run(self, url: str, seconds: float) -> None:
        """One run of the product, as a task makes it."""

    @abstractmethod
    def observed(self) -> Kind | str:
        """What the product made of the first run."""

    @abstractmethod
    def judge(self, kind: Kind, *, some: bool, wish: float | None) -> Iterator[str]:
        """What the first run left behind and must not, given that its outcome is right."""

    @abstractmethod
    def owed(self) -> bool:
        """Whether a later run has something to do."""

    @abstractmethod
    def at_rest(self) -> Iterator[str]:
        """Where the world is not what the ledger says."""

    def attempt(self, url: str, seconds: float = 30.0) -> None:
        """Run, and keep the sentence in which the task fails."""
        self.error = None
        try:
            self.run(url, seconds)
        except RescoreError as error:
            self.error = error
        self.desk.gateway.quiet()

    def wait(self) -> None:
        """Until what is owed may be tried again."""
        moments = [self.now]
        with self.ledger.reading() as connection:
            for table in (tables.sync, tables.delivery):
                moments += connection.scalars(select(table.c.next_at).where(table.c.state == "due"))
            moments += [one.open_until for one in breakers.all_of_them(connection) if not one.for_good]
        self.now = max(moment for moment in moments if moment) + timedelta(seconds=1)

    def close(self) -> None:
        """Leave nothing behind."""
        self.ledger.close()
        for path in Path(str(self.ledger.url.database)).parent.glob(
            f"{Path(self.ledger.url.database).name}*"
        ):
            path.unlink()

    def breaker(self) -> Breaker | None:
        """The one Connection's."""
        with self.ledger.reading() as connection:
            return next(iter(breakers.all_of_them(connection)), None)

    def said_plainly(self) -> Iterator[str]:
        """Whatever fails says so in one sentence."""
        if self.error is not None and ("\n" in str(self.error) or not 10 < len(str(self.error)) < 500):
            yield f"says {str(self.error)[:200]!r}"

    def judge_breaker(self, kind: Kind, wish: float | None) -> Iterator[str]:
        """The breaker is as the outcome's consequences say."""
        breaker, breaks = self.breaker(), CONSEQUENCES[kind].breaker
        is_open = breaker is not None and breaker.open_until is not None and breaker.open_until > self.now
        if breaks == "opens" and not is_open:
            yield f"is {kind} and opens no breaker"
        if breaks != "opens" and is_open and breaker is not None and not breaker.for_good:
            yield f"is {kind} and opens a breaker"
        if breaks == "counts" and breaker is None:
            yield f"is {kind} and counts for no breaker"
        if breaker is None or breaker.open_until is None or breaker.open_until == FOR_GOOD:
            return
        if kind == "quota" and wish and breaker.open_until < self.now + timedelta(seconds=wish):
            yield f"comes back before the {wish:g} seconds asked for"
        if breaker.open_until > self.now + LONGEST_WISH:
            yield f"is left alone until {breaker.open_until:%Y-%m-%d}"
