"""A Salesforce and Airflow over real sockets: scores, a task, a rules edit, and answers that are lost."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox_salesforce.organisation import Account, Organisation
from sandbox_salesforce.testing import SalesforceServer
from sandbox_salesforce.world import fill
from tests.connectors.salesforce_rig import SALESFORCE_YAML
from tests.support.deployment import Deployment, Run

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

CARD = """
scorecard: b2b_saas
timezone: UTC
score: {floor: 0}
dimensions: {engagement: {floor: 0}, fit: {floor: 0}}
rules:
  - {id: called, label: Was called, dimension: engagement, activity: call, points: 10, limit: {count: 4}}
  - {id: came, label: Came to a webinar, dimension: engagement, activity: campaign_response, points: 3}
  - id: seniority
    label: Decides
    dimension: fit
    lead: {job_title: {has_any_word: [ceo, vp, director]}}
    points: 7
bands: {A: 30, B: 10, C: 0}
automations:
  - id: call
    fire_when: {score: {at_least: 30}}
    do: [{crm_task: {target: salesforce, title: "Call: {score} points", due: 2d}}]
"""
CHIEFS = ("CEO", "VP Marketing", "Director of IT")
DATA = "/services/data/v64.0"
SHOWN = ("Rescore_Score__c", "Rescore_Band__c", "Rescore_Engagement__c", "Rescore_Fit__c")


@pytest.fixture
def org() -> Iterator[Organisation]:
    org = Organisation()
    fill(org, ends_at=datetime.now(UTC) - timedelta(days=1), leads=40, contacts=20)
    return org


@pytest.fixture
def salesforce(org: Organisation) -> Iterator[SalesforceServer]:
    with SalesforceServer(org) as server:
        yield server


@pytest.fixture
def connected(deployment: Deployment, salesforce: SalesforceServer) -> Deployment:
    """A deployment whose only CRM is the Salesforce."""
    for file in (*deployment.mappings.glob("*.yaml"), *deployment.rules.glob("*.yaml")):
        file.unlink()
    mapping = SALESFORCE_YAML.read_text().replace("mode: shadow ", "mode: live ", 1)
    (deployment.mappings / "salesforce.yaml").write_text(mapping)
    (deployment.rules / "b2b_saas.yaml").write_text(CARD)
    account = Account()
    key, secret = account.consumer_key, account.consumer_secret
    extra = {"consumer_key": key, "consumer_secret": secret, "domain": "sandbox.my"}
    fields = {"conn_type": "salesforce", "host": salesforce.url, "extra": extra}
    deployment.environment["AIRFLOW_CONN_RESCORE_SALESFORCE"] = json.dumps(fields)
    os.environ |= deployment.environment
    return deployment


def people(org: Organisation) -> dict[str, dict]:
    return org.records.rows["Lead"] | org.records.rows["Contact"]


def shown(org: Organisation) -> dict[str, tuple]:
    """(score, band, engagement, fit) in Salesforce, by record."""
    return {record: tuple(row[name] for name in SHOWN) for record, row in people(org).items()}


def expected(org: Organisation, *, call: int = 10) -> dict[str, tuple]:
    """The same by counting in the organisation's own records what the card asks for."""
    everybody = people(org)

    def became(record: str) -> str:
        row = everybody[record]
        other = row["MasterRecordId"] or row.get("ConvertedContactId")
        return became(other) if other else record

    tasks, members = (org.records.rows[name].values() for name in ("Task", "CampaignMember"))
    calls = Counter(became(row["WhoId"]) for row in tasks if row["TaskSubtype"] == "Call" and row["IsClosed"])
    came = Counter(became(row["LeadId"] or row["ContactId"]) for row in members if row["HasResponded"])
    found: dict[str, tuple] = {}
    for record, row in everybody.items():
        if row["IsDeleted"] or became(record) != record:
            found[record] = (None, None, None, None)
            continue
        engagement = min(calls[record], 4) * call + came[record] * 3
        fit = 7 if row["Title"] in CHIEFS else 0
        total = engagement + fit
        found[record] = (total, "A" if total >= 30 else "B" if total >= 10 else "C", engagement, fit)
    return found


def whose_differ(before: dict[str, tuple], after: dict[str, tuple]) -> list[str]:
    return [record for record in after if after[record] != before[record]]


def made_by_us(org: Organisation) -> list[str]:
    """About whom automations made a task, once for each task."""
    return [row["WhoId"] for row in org.records.rows["Task"].values() if row["Rescore_Delivery__c"]]


def be_interested(org: Organisation, *who: str) -> None:
    """Sales calls somebody four times, and notes it."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    call = {"TaskSubtype": "Call", "Status": "Completed", "IsClosed": True, "CompletedDateTime": now}
    for one in who:
        for _ in range(4):
            org.records.insert("Task", org.admin, WhoId=one, Subject="Call", **call)


def be_done(org: Organisation, who: str) -> None:
    """Sales ticks off the task that an automation made."""
    for task, row in org.records.rows["Task"].items():
        if row["WhoId"] == who and row["Rescore_Delivery__c"]:
            org.records.update("Task", task, {"Status": "Completed", "IsClosed": True}, org.admin)


def score_leads(deployment: Deployment) -> Run:
    """A run of this moment: what people have just done has happened before it."""
    return deployment.run("score_leads", run_after=datetime.now(UTC))


def test_scores_and_tasks_reach_salesforce_once_whatever_becomes_of_the_answers(connected, org, salesforce):
    assert score_leads(connected).state == "success"
    assert shown(org) == expected(org)
    assert len({score for score, *_ in shown(org).values()}) > 4
    assert not made_by_us(org), "the first load fires nothing"

    before, written = shown(org), org.written
    lead = [record for record, row in org.records.rows["Lead"].items() if row["Title"] == "CEO"][-1]
    be_interested(org, lead)
    assert score_leads(connected).state == "success"
    assert shown(org) == expected(org)
    assert whose_differ(before, shown(org)) == [lead]
    assert org.written == written + 1, "nobody else is written"
    assert made_by_us(org) == [lead]

    connected.edit("activity: call, points: 10", "activity: call, points: 12")
    assert connected.run("watch_rules").counts("adopt_rules")["activated"] == 1
    before, written = shown(org), org.written
    salesforce.fault(path=f"{DATA}/composite/sobjects", cut="after")
    salesforce.fault(path=f"{DATA}/sobjects/Task", method="POST", cut="after")
    connected.run("rescore_all", scorecard="b2b_saas")
    assert salesforce.app.state.faults.played == 2
    connected.end_waits()
    be_done(org, lead)
    again = score_leads(connected)
    assert again.state == "success"
    after = shown(org)
    assert after == expected(org, call=12)
    called = whose_differ(before, after)
    assert 0 < len(called) < len([score for score, *_ in after.values() if score is not None])
    assert org.written == written + 2 * len(called), "once more, because nobody had said that it landed"
    hot = [record for record, (score, *_) in after.items() if score is not None and score >= 30]
    assert sorted(made_by_us(org)) == sorted(hot)
    assert len(hot) == 2, "the edit brought one more over the line"
    assert again.counts_of("extract", "salesforce")["set aside: made_by_rescore"] == 1, "no call of sales'"
