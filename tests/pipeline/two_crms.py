"""The main job with two CRMs that know some of the same people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from rescore.connectors.memory import MemoryCrm
from rescore.delivery.actions.crm_task import CrmTaskSender
from rescore.delivery.automations import run_automations
from rescore.delivery.crm import update_crm
from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord
from rescore.ledger import tables
from rescore.ledger.outbox.records import in_target
from rescore.ledger.transaction import Ledger
from rescore.mapping import earlier_targets
from rescore.pipeline.extract import extract
from rescore.pipeline.reconcile import read_back
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS, Job

MAPPING = """\
mapping: {name}
connector: hubspot
account_details: /a
mode: live
group: rescore
{also}
leads:
  {{search: /s, read: /r, update: /u, properties: /p, groups: /g, modified: m, attributes: {{}},
    same_person: {{email: true}}}}
activities: {{}}
scores:
  b2b_saas: {{mode: live, score: rescore_score, band: rescore_band}}
tasks:
  {{create: /t, read: /tr, of_contacts: /tc, properties: /tp, groups: /tg, delivery: d, automation: a}}
"""


@dataclass
class TwoCrms(Job):
    """`crm` is HubSpot, `sales` Salesforce."""

    sales: MemoryCrm = field(default_factory=lambda: MemoryCrm("salesforce"))

    @classmethod
    def below(cls, folder: Path, ledger: Ledger, *, hubspot: str = "", salesforce: str = "primary: true"):
        rules, mappings = folder / "rules", folder / "mappings"
        rules.mkdir()
        mappings.mkdir()
        lake = Lake(str(folder / "lake"))
        policy = MAPPINGS.with_name("policy.yaml")
        job = cls(Workspace(ledger, lake, rules, mappings, folder / "reports", policy))
        job.map(hubspot=hubspot, salesforce=salesforce)
        job.write_rules()
        return job

    def map(self, **also: str) -> None:
        """Write the mappings, each with something of its own."""
        for name, more in also.items():
            (self.ws.mappings_dir / f"{name}.yaml").write_text(MAPPING.format(name=name, also=more))

    @property
    def crms(self) -> dict[str, MemoryCrm]:
        return {"hubspot": self.crm, "salesforce": self.sales}

    def view(self, key: str, *, number: int = 1) -> None:
        """`number` more views of the pricing page by a record."""
        source, _, lead = key.partition(":")
        for _ in range(number):
            self.runs += 1
            self.crms[source].put_activity(
                ActivityRecord(f"view-{self.runs}", lead, "page_view", self.now, asset="/pricing")
            )

    def extract(self) -> Counter[str]:
        return sum(
            (extract(self.ws, crm, until=self.now, known_at=self.now) for crm in self.crms.values()),
            Counter(),
        )

    def deliver(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        targets = self.ws.targets()
        for name, crm in self.crms.items():
            calls = crm.writes
            counts += update_crm(
                self.ws.ledger,
                crm,
                mapping=targets[name],
                now=self.now,
                worker="test",
                merged=self.ws.lake.canonical,
                earlier=earlier_targets(targets.values(), targets[name]),
            )
            counts["CRM calls"] += crm.writes - calls
        tasks = CrmTaskSender(
            self.crms.__getitem__, targets.__getitem__, self.ws.lake.canonical, self.record_of
        )
        senders = {"webhook": self.receiver, "crm_task": tasks}
        return counts + run_automations(self.ws.ledger, senders, now=self.now, worker="test")

    def record_of(self, target: str, lead: str) -> str | None:
        with self.ws.ledger.reading() as connection:
            return in_target(connection, target, [lead]).get(lead)

    def finish(self, keys: list[str]) -> Counter[str]:
        return self.promote(keys) + self.deliver()

    def read_back(self) -> Counter[str]:
        return sum(
            (
                read_back(self.ws.ledger, crm, mapping=self.ws.targets()[name], now=self.now, everybody=True)
                for name, crm in self.crms.items()
            ),
            Counter(),
        )

    def shown(self) -> dict[str, object]:
        """What the records show that show anything, by their keys."""
        return {
            f"{name}:{lead}": values["rescore_score"]
            for name, crm in self.crms.items()
            for lead, values in crm.shown.items()
            if values.get("rescore_score") is not None
        }

    def rows(self, table, *columns, **where):
        with self.ws.ledger.reading() as connection:
            chosen = [table.c[name] == value for name, value in where.items()]
            found = connection.execute(select(*(table.c[name] for name in columns)).where(*chosen))
            return sorted(tuple(row) for row in found)

    def record(self) -> dict[str, int | None]:
        """Scores of record by lead, but for those that count as another lead."""
        rows = self.rows(tables.score, "lead", "score", "withheld")
        return {lead: score for lead, score, withheld in rows if withheld != "merged"}
