"""What the ledger and the CRM say happened: counts before and after, bands, and who to look at."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import func, select

from demo.standalone import Standalone
from rescore.ledger.tables import delivery, delta, score, sync
from rescore.settings import Settings
from rescore.workspace import Workspace


class Evidence:
    """Reads both sides of one running world; writes nothing."""

    def __init__(self, world: Standalone) -> None:
        self._world = world

    @cached_property
    def workspace(self) -> Workspace:
        """The stores, opened as every task opens them."""
        return Workspace.open(Settings.from_environment(self._world.places.environment()))

    def counts(self) -> dict[str, int]:
        """Running totals since the world began."""
        crm = self._world.crm("GET", "/sandbox/status")
        with self.workspace.ledger.reading() as connection:
            leads = select(func.count(score.c.lead.distinct())).where(score.c.score.is_not(None))
            delivered = select(func.count()).select_from(delivery).where(delivery.c.state == "delivered")
            return {
                "leads scored": connection.scalar(leads) or 0,
                "scores changed": connection.scalar(select(func.count()).select_from(delta)) or 0,
                "leads written to the CRM": crm["contact_writes"]["records"],
                "calls for that": crm["contact_writes"]["batch_updates"],
                "automations fired": connection.scalar(select(func.count()).select_from(delivery)) or 0,
                "webhooks delivered": connection.scalar(delivered) or 0,
            }

    def since(self, before: dict[str, int]) -> dict[str, int]:
        """What was added to the totals; leads scored stay a level."""
        now = self.counts()
        return {name: now[name] - (0 if name == "leads scored" else before[name]) for name in now}

    def owed(self) -> int:
        """Leads whose newest score the CRM has not confirmed yet."""
        with self.workspace.ledger.reading() as connection:
            due = select(func.count()).select_from(sync).where(sync.c.state == "due")
            return connection.scalar(due) or 0

    def bands(self, scorecard: str) -> dict[str, int]:
        """Leads by band, in the order of the bands' names; those below every band as `none`."""
        with self.workspace.ledger.reading() as connection:
            rows = connection.execute(
                select(func.coalesce(score.c.band, "none").label("band"), func.count().label("leads"))
                .where(score.c.scorecard == scorecard, score.c.score.is_not(None))
                .group_by("band")
                .order_by("band")
            )
            return {row.band: row.leads for row in rows}

    def top_lead(self, scorecard: str = "b2b_saas") -> str:
        """The lead with the highest score."""
        with self.workspace.ledger.reading() as connection:
            best = select(score.c.lead).where(score.c.scorecard == scorecard, score.c.score.is_not(None))
            return str(connection.scalar(best.order_by(score.c.score.desc(), score.c.lead).limit(1)))

    def crm_scores(self, properties: list[str]) -> dict[str, dict[str, Any]]:
        """Record id to the CRM's own values of these properties, for every contact."""
        found: dict[str, dict[str, Any]] = {}
        lowest = "0"
        while True:
            page = self._world.crm(
                "POST",
                "/crm/objects/2026-09/contacts/search",
                {
                    "filterGroups": [
                        {"filters": [{"propertyName": "hs_object_id", "operator": "GT", "value": lowest}]}
                    ],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    "properties": properties,
                    "limit": 200,
                },
            )["results"]
            if not page:
                return found
            found.update({contact["id"]: contact["properties"] for contact in page})
            lowest = page[-1]["id"]
