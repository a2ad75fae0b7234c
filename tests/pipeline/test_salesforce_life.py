"""The main job against a Salesforce: people become others, and their scores follow them, once."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rescore.connectors.salesforce import Salesforce
from rescore.delivery.crm import update_crm
from rescore.lake.lake import Lake
from rescore.ledger.scores import stage
from rescore.ledger.transaction import Ledger
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.extract import extract
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.reconcile import read_back
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.score import score, start_runs
from rescore.workspace import Workspace
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.testing import SalesforceServer
from sandbox_salesforce.world import add_score_fields
from tests.connectors.salesforce_rig import SALESFORCE_YAML, salesforce
from tests.support.main_job import MAPPINGS

MORNING = datetime(2026, 11, 20, 9, tzinfo=UTC)
SCORE, BAND = "Rescore_Score__c", "Rescore_Band__c"

RULES = """\
scorecard: b2b_saas
timezone: Europe/Berlin
score: {floor: 0, ceiling: 100}
dimensions:
  engagement: {floor: 0}
  fit: {floor: 0}
rules:
  - {id: called, dimension: engagement, activity: call, points: 10}
  - {id: chief, dimension: fit, lead: {job_title: {has_any_word: [ceo, cto]}}, points: 20}
  - {id: energy, dimension: fit, lead: {industry: {equals: energy}}, points: 3}
bands: {A: 30, B: 10, C: 0}
"""


@dataclass
class Life:
    ws: Workspace
    server: SalesforceServer
    crm: Salesforce
    now: datetime = MORNING
    runs: int = 0

    @property
    def org(self) -> Organisation:
        return self.server.organisation

    def person(self, kind: str, **values: object) -> str:
        return self.org.records.insert(kind, self.org.admin, **values)

    def call(self, who: str) -> str:
        done = self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        return self.person("Task", WhoId=who, TaskSubtype="Call", IsClosed=True, CompletedDateTime=done)

    def run(self, minutes: float = 15) -> Counter[str]:
        self.now, self.runs = self.now + timedelta(minutes=minutes), self.runs + 1
        adopt_rules(self.ws, at=self.now, by="test")
        counts = extract(self.ws, self.crm, until=self.now, known_at=self.now)
        for key in start_runs(self.ws, run_id=f"run-{self.runs}", as_of=self.now, at=self.now):
            score(self.ws, key)
            stage_deltas(self.ws, key)
            counts += promote_or_hold(self.ws, key, at=self.now)
        mapping = self.ws.mappings()["salesforce"]
        return counts + update_crm(
            self.ws.ledger,
            self.crm,
            mapping=mapping,
            now=self.now,
            worker="test",
            merged=self.ws.lake.canonical,
        )

    def shown(self, record_id: str) -> tuple[float | None, str | None]:
        row = self.org.records.find(record_id)[1]
        return row[SCORE], row[BAND]

    def scores(self) -> dict[str, int | None]:
        with self.ws.ledger.reading() as connection:
            rows = stage.committed(connection, "b2b_saas").to_pylist()
        return {row["lead"].partition(":")[2]: row["score"] for row in rows}


@pytest.fixture
def life(ledger: Ledger, tmp_path: Path) -> Iterator[Life]:
    rules, mappings = tmp_path / "rules", tmp_path / "mappings"
    rules.mkdir()
    mappings.mkdir()
    (rules / "b2b_saas.yaml").write_text(RULES)
    text = SALESFORCE_YAML.read_text().replace("mode: shadow ", "mode: live ")
    text = re.sub(
        r"  events:.*?(?=\nscores:)", "", text, flags=re.DOTALL
    )  # tasks are enough here, and quicker
    (mappings / "salesforce.yaml").write_text(text)
    org = Organisation()
    add_score_fields(org)
    reports, policy = tmp_path / "reports", MAPPINGS.with_name("policy.yaml")
    ws = Workspace(ledger, Lake(str(tmp_path / "lake")), rules, mappings, reports, policy)
    with SalesforceServer(org) as server:
        life = Life(ws, server, salesforce(server, ws.mappings()["salesforce"]))
        org.clock = lambda: life.now
        yield life


def test_people_are_scored_written_and_an_unchanged_run_writes_nothing(life: Life):
    lead = life.person("Lead", Title="CEO", Industry="Energy")
    account = life.person("Account", Industry="Energy")
    contact = life.person("Contact", Title="Engineer", AccountId=account)
    life.call(contact)
    counts = life.run()
    assert (life.shown(lead), life.shown(contact)) == ((23, "B"), (13, "B"))
    assert counts["acknowledged"] == 2
    written = life.org.written
    counts = life.run()
    assert (counts["changed"], counts["batches"], life.org.written) == (0, 0, written)


def test_a_converted_leads_calls_count_for_its_contact_and_are_shown_there(life: Life):
    lead = life.person("Lead", Title="CEO")
    other = life.person("Lead")
    life.call(lead)
    life.run()
    contact = life.person("Contact", Title="CEO")
    life.org.records.convert(lead, contact)
    life.call(contact)
    life.call(other)
    life.run()
    assert (life.shown(contact), life.shown(other)) == ((40, "A"), (10, "B"))
    assert life.shown(lead) == (30, "A")  # as it was: nobody writes a converted lead
    assert life.run()["batches"] == 0


def test_who_was_merged_is_scored_as_the_one_that_is_left(life: Life):
    gone, left = life.person("Lead", Title="CTO"), life.person("Lead", Title="CTO")
    life.call(gone)
    life.run()
    life.org.records.delete("Lead", gone, master=left)
    life.run()
    assert life.shown(left) == (30, "A")
    assert [lead for lead, value in life.scores().items() if value is not None] == [left]


def test_who_was_deleted_has_no_score_and_nothing_is_made_anew(life: Life):
    lead = life.person("Lead", Title="CEO")
    life.run()
    life.org.records.delete("Lead", lead)
    life.run()
    assert life.scores() == {lead: None}
    assert len(life.org.records.rows["Lead"]) == 1


def test_an_accounts_industry_changes_the_scores_of_its_contacts(life: Life):
    account = life.person("Account", Industry="Retail")
    contact = life.person("Contact", AccountId=account)
    life.run()
    life.org.records.update("Account", account, {"Industry": "Energy"}, life.org.admin)
    life.run()
    assert life.shown(contact) == (3, "C")


def test_contacts_of_a_merged_account_are_scored_by_the_one_that_is_left(life: Life):
    lost, left = (life.person("Account", Industry=industry) for industry in ("Retail", "Energy"))
    contact, other = life.person("Contact", AccountId=lost), life.person("Contact", AccountId=left)
    life.run()
    assert (life.shown(contact), life.shown(other)) == ((0, "C"), (3, "C"))
    life.now += timedelta(hours=1)  # nobody reads them again for the overlap's sake
    life.run()
    life.now += timedelta(hours=1)
    life.org.records.delete("Account", lost, master=left)
    written = life.org.written
    life.run()
    assert life.shown(contact) == (3, "C")
    assert life.org.written == written + 1


def test_what_is_shown_is_read_back_and_a_value_that_is_not_ours_is_written_again(life: Life):
    leads = [life.person("Lead", Title="CEO") for _ in range(3)]
    life.run()
    mapping = life.ws.mappings()["salesforce"]
    life.now += timedelta(minutes=5)
    life.org.records.update("Lead", leads[1], {SCORE: 99.0}, life.org.admin)
    counts = read_back(life.ws.ledger, life.crm, mapping=mapping, now=life.now, everybody=True)
    assert (counts["read back"], counts["drift"]) == (3, 1)
    life.run()
    assert life.shown(leads[1]) == (20, "B")


def test_a_write_whose_answer_was_lost_is_written_again_and_nothing_is_doubled(life: Life):
    lead = life.person("Lead", Title="CEO")
    life.crm.fingerprint()
    life.server.fault(path="/services/data/v64.0/composite", cut="after")
    with pytest.raises(Exception, match="Salesforce did not answer PATCH composite/sobjects"):
        life.run()
    life.run()
    assert life.shown(lead) == (20, "B")
    assert life.run()["batches"] == 0
