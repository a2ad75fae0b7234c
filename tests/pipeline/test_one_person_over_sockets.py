"""One person in HubSpot and in Salesforce, over sockets: scored, told and shown once, until they part."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.delivery.automations import run_automations
from rescore.delivery.crm import update_crm
from rescore.delivery.webhook import Endpoint, WebhookSender
from rescore.lake.lake import Lake
from rescore.ledger import tables
from rescore.ledger.transaction import Ledger
from rescore.mapping import earlier_targets
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.extract import extract
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.score import score, start_runs
from rescore.workspace import Workspace
from sandbox_crm.shapes import Contact, Script, Slot
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import World
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.testing import SalesforceServer
from sandbox_salesforce.world import add_score_fields
from tests.connectors.conftest import HUBSPOT_YAML
from tests.connectors.salesforce_rig import SALESFORCE_YAML, salesforce
from tests.support.main_job import MAPPINGS, RULES

CARD = RULES.replace("activity: page_view\n    where: {asset: {starts_with: /pricing}}", "activity: call")
ADA, BOB = 100001, 100002
THERE = "salesforcecontactid"
FAST = Limits(calls=10**6, searches=10**6)


@dataclass
class TwoServers:
    """The main job by hand between a HubSpot and a Salesforce, of which the latter is the primary one."""

    ws: Workspace
    marketing: SandboxServer
    sales: SalesforceServer
    now: datetime
    runs: int = 0

    def __post_init__(self) -> None:
        self.org.clock = self.marketing.sandbox.clock = lambda: self.now
        mappings = self.ws.mappings()
        hubspot = HubSpot(self.marketing.url, self.marketing.token, mappings["hubspot"], FAST)
        self.crms = {"hubspot": hubspot, "salesforce": salesforce(self.sales, mappings["salesforce"])}
        hubspot.setup()

    @property
    def org(self) -> Organisation:
        return self.sales.organisation

    def say(self, contact: int, **properties: str) -> None:
        """A person at HubSpot's screen changes a contact."""
        url, headers = self.marketing.url, {"Authorization": f"Bearer {self.marketing.token}"}
        edit = {"kind": "contacts", "id": contact, "properties": properties}
        requests.post(f"{url}/sandbox/edit", json=edit, headers=headers, timeout=30).raise_for_status()

    def call(self, who: int | str) -> None:
        """Somebody calls one of the person's records."""
        stamp = self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        if isinstance(who, int):
            now = self.marketing.sandbox.now()
            self.marketing.sandbox.store.make("calls", who, {"hs_timestamp": stamp}, now)
            return
        done = {"TaskSubtype": "Call", "IsClosed": True, "CompletedDateTime": stamp}
        self.org.records.insert("Task", self.org.admin, WhoId=who, **done)

    def run(self) -> Counter[str]:
        """One whole run, some seconds after the last."""
        self.now, self.runs = self.now + timedelta(seconds=10), self.runs + 1
        adopt_rules(self.ws, at=self.now, by="test")
        counts: Counter[str] = Counter()
        for crm in self.crms.values():
            counts += extract(self.ws, crm, until=self.now, known_at=self.now)
        for key in start_runs(self.ws, run_id=f"run-{self.runs}", as_of=self.now, at=self.now):
            score(self.ws, key)
            stage_deltas(self.ws, key)
            counts += promote_or_hold(self.ws, key, at=self.now)
        return counts + self.deliver()

    def deliver(self) -> Counter[str]:
        targets, counts = self.ws.targets(), Counter[str]()
        for name, crm in self.crms.items():
            counts += update_crm(
                self.ws.ledger,
                crm,
                mapping=targets[name],
                now=self.now,
                worker="test",
                merged=self.ws.lake.canonical,
                earlier=earlier_targets(targets.values(), targets[name]),
            )
        address = f"{self.marketing.url}/sandbox/hooks/sales_alerts"
        hooks = {"sales_alerts": Endpoint(address, self.marketing.webhook_secret)}
        senders = {"webhook": WebhookSender(hooks)}
        present = datetime.now(UTC)  # whoever receives webhooks refuses those that were signed long ago
        return counts + run_automations(self.ws.ledger, senders, now=present, worker="test")

    def in_hubspot(self, contact: int) -> dict[str, str | None]:
        """All that a contact shows there, its modified date too."""
        row = self.marketing.sandbox.store.objects("contacts", [contact])[contact]
        return json.loads(row["properties"]) | {"modified": row["modified"]}

    def shown(self, contact: int, there: str) -> tuple[str | None, float | None]:
        """The score that each of the two records shows."""
        scored = self.in_hubspot(contact).get("rescore_score")
        return scored, self.org.records.find(there)[1]["Rescore_Score__c"]

    def told(self) -> list[tuple[str, int]]:
        """(lead, score) of each webhook that was received."""
        heard = [delivery.body["data"] for delivery in self.marketing.sandbox.deliveries.values()]
        return [(body["lead"]["key"], body["score"]["new"]) for body in heard]

    def rows(self, table, *columns: str) -> list[tuple]:
        with self.ws.ledger.reading() as connection:
            found = connection.execute(select(*(table.c[name] for name in columns)))
            return sorted(tuple(row) for row in found)

    def record(self) -> dict[str, int | None]:
        """Scores of record by lead, but for those that count as another lead."""
        rows = self.rows(tables.score, "lead", "score", "withheld")
        return {lead: score for lead, score, withheld in rows if withheld != "merged"}


def mappings_below(folder: Path) -> Path:
    """The project's two, live, with calls alone to read; HubSpot knows the contact's id in Salesforce."""
    folder.mkdir()
    sales = SALESFORCE_YAML.read_text().replace("mode: shadow ", "primary: true\nmode: live ", 1)
    sales = re.sub(r"  events:.*?(?=\nscores:)", "", sales, flags=re.DOTALL)
    (folder / "salesforce.yaml").write_text(sales)
    marketing = HUBSPOT_YAML.read_text()
    calls = re.search(r"  calls:.*?(?=\n  meetings:)", marketing, flags=re.DOTALL)
    marketing = re.sub(
        r"activities:\n.*?(?=\nscores:)", f"activities:\n{calls[0]}", marketing, flags=re.DOTALL
    )
    same = f"leads:\n  same_person: {{records: {{salesforce: [{THERE}]}}}}"
    (folder / "hubspot.yaml").write_text(marketing.replace("leads:", same, 1))
    return folder


@pytest.fixture
def job(ledger: Ledger, tmp_path: Path) -> Iterator[TwoServers]:
    """Ada and Bob are contacts of HubSpot; nobody is in Salesforce yet."""
    start = datetime.now(UTC) - timedelta(hours=1)
    last_week = Slot(days_before=7, time_of_day=0)
    people = [
        Contact(ADA, last_week, {"email": "ada@example.com", "jobtitle": "Clerk"}, []),
        Contact(BOB, last_week, {"email": "bob@example.com", "jobtitle": "Director of IT"}, []),
    ]
    rules, mappings = tmp_path / "rules", mappings_below(tmp_path / "mappings")
    rules.mkdir()
    (rules / "b2b_saas.yaml").write_text(CARD)
    policy = MAPPINGS.with_name("policy.yaml")
    ws = Workspace(ledger, Lake(str(tmp_path / "lake")), rules, mappings, tmp_path / "reports", policy)
    org = Organisation()
    add_score_fields(org)
    world = World(Script(contacts=people), start, timedelta(0))
    with SandboxServer(world) as marketing, SalesforceServer(org) as sales:
        yield TwoServers(ws, marketing, sales, start)


def test_a_person_in_both_is_scored_told_and_shown_once_until_the_link_is_gone(job: TwoServers):
    there = job.org.records.insert("Contact", job.org.admin, Title="Director of Sales")
    job.say(ADA, **{THERE: there})
    job.call(ADA)
    job.call(there)
    job.run()
    ada, bob, other = f"hubspot:{ADA}", f"hubspot:{BOB}", f"salesforce:{there}"
    assert job.record() == {ada: 40, bob: 20}, "calls of both, and the primary one's title"
    assert job.shown(ADA, there) == (None, 40)
    before, written = job.in_hubspot(ADA), job.org.written

    job.call(ADA)
    job.call(there)
    job.call(there)
    assert job.run()["fired"] == 1
    assert job.record() == {ada: 70, bob: 20}
    assert job.shown(ADA, there) == (None, 70)
    assert job.told() == [(ada, 70)]
    assert job.rows(tables.arming, "lead", "state", "n") == [(ada, "fired", 1)]
    assert job.org.written == written + 1
    assert job.in_hubspot(ADA) == before, "nobody has touched the other record"
    assert job.run()["batches"] == 0

    job.say(ADA, **{THERE: ""})
    assert job.run()["records parted"] == 1
    assert job.record() == {ada: 20, bob: 20, other: 50}
    assert job.shown(ADA, there) == ("20", 50)
    assert job.told() == [(ada, 70)], "nothing fires for what was told before"

    job.say(ADA, **{THERE: there})
    assert job.run()["records joined"] == 1
    assert job.record() == {ada: 70, bob: 20}
    assert job.shown(ADA, there) == ("20", 70), "the other record keeps what it showed last"
    assert job.told() == [(ada, 70)]
    assert job.run()["batches"] == 0


def test_an_id_of_15_characters_names_the_same_record_of_salesforce(job: TwoServers):
    there = job.org.records.insert("Contact", job.org.admin, Title="Director of Sales")
    job.say(ADA, **{THERE: there[:15]})
    job.call(ADA)
    job.run()
    assert job.record() == {f"hubspot:{ADA}": 30, f"hubspot:{BOB}": 20}
    assert job.shown(ADA, there) == (None, 30)
