"""What a running sandbox CRM knows beside its database: who may call, what was called and received."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from sandbox_crm.properties import (
    GROUP,
    Property,
    company_properties,
    deal_properties,
    standard_properties,
    task_properties,
)
from sandbox_crm.store import Store, milliseconds


@dataclass(frozen=True)
class Limits:
    """How many calls the account may make; the vendor's numbers by default."""

    per_ten_seconds: int = 190
    search_per_second: int = 5
    per_day: int = 650_000


UNLIMITED = Limits(per_ten_seconds=10**9, search_per_second=10**9, per_day=10**9)


@dataclass
class Delivery:
    """One webhook as received, and how often it came."""

    hook: str
    id: str
    received_at: datetime
    body: Any
    times: int = 1


@dataclass
class Schema:
    """The properties of one kind of object, those an app added, and the groups they are filed under."""

    properties: dict[str, Property]
    added: set[str]
    groups: dict[str, str]


@dataclass
class Sandbox:
    """The state the routes share; a search sees a write only `search_lag` seconds after it."""

    store: Store
    token: str
    webhook_secret: str
    limits: Limits
    planted: dict[str, int]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    properties: dict[str, Property] = field(default_factory=standard_properties)
    added: set[str] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=lambda: {GROUP: "Contact information"})
    tasks: Schema = field(
        default_factory=lambda: Schema(task_properties(), set(), {GROUP: "Task information"})
    )
    companies: Schema = field(
        default_factory=lambda: Schema(company_properties(), set(), {GROUP: "Company information"})
    )
    deals: Schema = field(
        default_factory=lambda: Schema(deal_properties(), set(), {GROUP: "Deal information"})
    )
    tasks_made: int = 0
    search_lag: float = 0.0
    merges_make_new: bool = True  # whether two records that are merged become a third
    follows_merges: bool = False  # whether the id of a merged contact leads to the one that is left
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    batch_updates: int = 0
    records_written: int = 0
    deliveries: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    rejected_deliveries: int = 0

    def schema(self, kind: str) -> Schema:
        """The properties of contacts, companies, deals or tasks."""
        others = {"tasks": self.tasks, "companies": self.companies, "deals": self.deals}
        return others.get(kind) or Schema(self.properties, self.added, self.groups)

    def now(self) -> int:
        """The present, in the vendor's milliseconds."""
        return milliseconds(self.clock())


def sandbox_of(request: Request) -> Sandbox:
    """The sandbox a request came to; a FastAPI dependency."""
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox
