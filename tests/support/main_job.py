"""The main job by hand: a whole deployment in a folder, and a CRM in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rescore.connectors.memory import MemoryCrm
from rescore.delivery.automations import run_automations
from rescore.delivery.crm import update_crm
from rescore.lake.records import ActivityRecord
from rescore.ledger.outbox.deliveries import DeliveryClaim
from rescore.ledger.scores import stage
from rescore.outcome import Outcome
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.extract import extract
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.rules import RulesNews, adopt_rules
from rescore.pipeline.score import score, start_runs
from rescore.workspace import Workspace

MORNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MAPPINGS = Path(__file__).parents[2] / "include" / "mappings"

RULES = """\
scorecard: b2b_saas
timezone: Europe/Berlin
score: {floor: 0, ceiling: 100}
dimensions:
  engagement: {floor: 0}
  fit: {floor: 0}
rules:
  - id: pricing_page
    dimension: engagement
    activity: page_view
    where: {asset: {starts_with: /pricing}}
    points: 10
  - id: director
    dimension: fit
    lead: {job_title: {has_word: director}}
    points: 20
bands: {A: 50, B: 20, C: 0}
automations:
  - id: mql
    fire_when: {score: {at_least: 50}}
    ready_again_when: {score: {below: 30}}
    do: [{webhook: {connection: sales_alerts}}]
"""


class Receiver:
    """A webhook sender whose receiver takes everything."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def send(self, claim: DeliveryClaim, *, now: datetime) -> Outcome:
        self.received.append(claim.delivery_id)
        return Outcome("ok")


@dataclass
class Job:
    """The main job by hand: every step as the DAG takes it."""

    ws: Workspace
    crm: MemoryCrm = field(default_factory=lambda: MemoryCrm("hubspot"))
    receiver: Receiver = field(default_factory=Receiver)
    now: datetime = MORNING
    runs: int = 0

    def write_rules(self, text: str = RULES, name: str = "b2b_saas.yaml") -> None:
        (self.ws.rules_dir / name).write_text(text)

    def use_policy(self, path: Path) -> None:
        """Judge by other limits than the shipped ones."""
        self.ws = replace(self.ws, policy_file=path)

    def adopt(self) -> list[RulesNews]:
        return adopt_rules(self.ws, at=self.now, by="test")

    def visit(self, lead: str, *, number: int = 1, at: datetime | None = None) -> None:
        """`number` more views of the pricing page."""
        for _ in range(number):
            self.runs += 1
            self.crm.put_activity(
                ActivityRecord(f"view-{self.runs}", lead, "page_view", at or self.now, asset="/pricing")
            )

    def extract(self) -> Counter[str]:
        return extract(self.ws, self.crm, until=self.now, known_at=self.now)

    def start(self, **how: object) -> list[str]:
        self.runs += 1
        return start_runs(self.ws, run_id=f"run-{self.runs}", as_of=self.now, at=self.now, **how)

    def finish(self, keys: list[str]) -> Counter[str]:
        """Score, stage, promote and deliver; what came of it."""
        counts = self.promote(keys)
        writes = self.crm.writes
        counts += update_crm(
            self.ws.ledger, self.crm, mapping=self.ws.mappings()["hubspot"], now=self.now, worker="test"
        )
        counts += run_automations(self.ws.ledger, {"webhook": self.receiver}, now=self.now, worker="test")
        counts["CRM calls"] = self.crm.writes - writes
        return counts

    def promote(self, keys: list[str]) -> Counter[str]:
        """All but the deliveries."""
        counts: Counter[str] = Counter()
        for key in keys:
            score(self.ws, key)
            stage_deltas(self.ws, key)
            counts += promote_or_hold(self.ws, key, at=self.now)
        return counts

    def run(self, minutes: float = 15, **how: object) -> Counter[str]:
        """One whole run, a quarter of an hour after the last."""
        self.now += timedelta(minutes=minutes)
        self.adopt()
        self.extract()
        return self.finish(self.start(**how))

    def scores(self, scorecard: str = "b2b_saas") -> dict[str, int | None]:
        with self.ws.ledger.reading() as connection:
            rows = stage.committed(connection, scorecard).to_pylist()
        return {row["lead"].partition(":")[2]: row["score"] for row in rows}
