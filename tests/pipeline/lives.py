"""Lives of leads by hand: what happens to them, run by run, and what the ledger says of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from rescore.lake.records import ActivityRecord
from rescore.ledger import tables
from rescore.ledger.rules import activations, registry
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.score import score
from rescore.rules.load import load_scorecard
from tests.support.main_job import Job

RULES = """\
scorecard: b2b_saas
timezone: Europe/Berlin
score: {floor: 0, ceiling: 200}
dimensions:
  engagement: {floor: 0}
  fit: {floor: 0}
rules:
  - id: pricing_page
    dimension: engagement
    activity: page_view
    where: {asset: {starts_with: /pricing}}
    points: 16
    limit: {count: 4}
    decay: {half_life: 2d}
  - id: demo
    dimension: engagement
    activity: form_submit
    points: 30
  - id: director
    dimension: fit
    lead: {job_title: {has_word: director}}
    points: 20
audience: {exclude: {lifecycle_stage: {in: [customer]}}}
bands: {A: 50, B: 20, C: 0}
"""


@dataclass
class Life(Job):
    """The main job without deliveries, and with rules that come into force whatever they move."""

    rules: str = RULES
    adopted: str = ""

    def adopt(self):
        if self.rules == self.adopted:
            return []
        card, body = load_scorecard(self.rules.encode(), name="rules"), self.rules.encode()
        with self.ws.ledger.transaction() as connection:
            version = registry.register(
                connection, card=card, body=body, path="life.yaml", at=self.now, by="test"
            )
            activations.activate(connection, card=card, version_seq=version, at=self.now, by="test")
        self.adopted = self.rules
        return []

    def finish(self, keys: list[str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for key in keys:
            self.staged(key)
            counts += self.promoted(key)
        return counts

    def staged(self, key: str) -> None:
        score(self.ws, key)
        stage_deltas(self.ws, key)

    def promoted(self, key: str) -> Counter[str]:
        return promote_or_hold(self.ws, key, at=self.now)

    def does(self, lead: str, name: str, *, kind: str = "page_view", asset: str = "/pricing", **ago: float):
        """The activity `name`, so long ago; the same name again corrects it."""
        at: datetime = self.now - timedelta(**ago)
        self.crm.put_activity(ActivityRecord(name, lead, kind, at, asset=asset))

    def deltas(self) -> list[tuple[str, int | None, int | None, dict[str, int]]]:
        """Every delta in its order: lead, old score, new score, causes."""
        delta = tables.delta
        query = select(delta.c.lead, delta.c.old_score, delta.c.new_score, delta.c.causes).order_by(
            delta.c.as_of, delta.c.lead, delta.c.ver
        )
        with self.ws.ledger.reading() as connection:
            return [
                (row.lead.partition(":")[2], row.old_score, row.new_score, json.loads(row.causes))
                for row in connection.execute(query)
            ]

    def last(self, lead: str = "ada") -> dict[str, int]:
        """The causes of a lead's last delta."""
        return [causes for owner, _, _, causes in self.deltas() if owner == lead][-1]
