"""Tryton and Airflow, both real: from what people do there to scores, a rules edit and faults."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support.deployment import Deployment, Run
from tests.support.tryton.gateway import Gateway, answer_lost, call_lost
from tests.support.tryton.installation import DATABASE
from tests.support.tryton.rig import MAPPING
from tests.support.tryton.server import TrytonServer, password_of

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

CARD = """
scorecard: b2b_saas
timezone: UTC
score: {floor: 0}
dimensions: {engagement: {floor: 0}, fit: {floor: 0}}
rules:
  - {id: noted, label: Left a note, dimension: engagement, activity: note, points: 5, limit: {count: 4}}
  - {id: opened, label: Opened an e-mail, dimension: engagement, activity: email_open, points: 2}
  - id: pricing
    label: Looked at pricing
    dimension: engagement
    activity: email_click
    where: {asset: {equals: /pricing}, campaign: {equals: Autumn}}
    points: 10
  - id: seniority
    label: Decides
    dimension: fit
    lead: {job_title: {has_any_word: [cto, head, vice president]}}
    points: 7
audience: {exclude: {lifecycle_stage: {in: [cancelled]}}}
bands: {A: 30, B: 15, C: 0}
automations:
  - id: call
    fire_when: {score: {at_least: 30}}
    do: [{crm_task: {target: tryton, title: "Call: {score} points", due: 2d}}]
"""


@pytest.fixture
def gateway(tryton: TrytonServer) -> Iterator[Gateway]:
    with Gateway(tryton.url) as gateway:
        yield gateway


@pytest.fixture
def connected(deployment: Deployment, gateway: Gateway) -> Deployment:
    """A deployment whose only CRM is the live Tryton behind the gateway."""
    for file in (*deployment.mappings.glob("*.yaml"), *deployment.rules.glob("*.yaml")):
        file.unlink()
    shutil.copy(MAPPING, deployment.mappings / "tryton.yaml")
    (deployment.rules / "b2b_saas.yaml").write_text(CARD)
    user = {"login": "rescore", "password": password_of("rescore")}
    fields = {"conn_type": "http", "host": gateway.url, **user, "extra": {"database": DATABASE}}
    deployment.environment["AIRFLOW_CONN_RESCORE_TRYTON"] = json.dumps(fields)
    os.environ |= deployment.environment
    return deployment


def shown(tryton: TrytonServer) -> dict[int, tuple]:
    """(score, band, engagement, fit) in Tryton, by lead."""
    columns = "id, rescore_score, rescore_band, rescore_engagement, rescore_fit"
    return {row[0]: row[1:] for row in tryton.rows(f"SELECT {columns} FROM sale_opportunity")}


def expected(tryton: TrytonServer, *, note: int = 5) -> dict[int, tuple]:
    """The same by counting in Tryton's own tables what the card asks for."""
    leads = tryton.rows("SELECT id, party, description, state FROM sale_opportunity")
    notes = dict(
        tryton.rows(
            "SELECT CAST(substr(resource, 18) AS INTEGER), count(*) FROM ir_note"
            " WHERE resource LIKE 'sale.opportunity,%' AND message NOT LIKE '%[rescore %' GROUP BY 1"
        )
    )
    accesses = tryton.rows(
        "SELECT r.record, u.method LIKE '%clicked' FROM web_shortened_url_access a"
        " JOIN web_shortened_url u ON a.url = u.id"
        " JOIN marketing_automation_record_activity s"
        " ON u.record = 'marketing.automation.record.activity,' || s.id"
        " JOIN marketing_automation_record r ON s.record = r.id"
    )
    found: dict[int, tuple] = {}
    for lead, party, title, state in leads:
        if state == "cancelled":
            found[lead] = (None, None, None, None)
            continue
        mine = [clicked for record, clicked in accesses if record == f"party.party,{party}"]
        engagement = min(notes.get(lead, 0), 4) * note + sum(10 if clicked else 2 for clicked in mine)
        fit = 7 if title in ("CTO", "Head of Sales", "Vice President Marketing") else 0
        total = engagement + fit
        found[lead] = (total, "A" if total >= 30 else "B" if total >= 15 else "C", engagement, fit)
    return found


def score_writes(gateway: Gateway) -> int:
    """How many leads were written."""
    calls = [asked.json for asked in gateway.asked]
    return sum(len(call["params"]) // 2 for call in calls if call["method"] == "model.sale.opportunity.write")


def left_by_us(tryton: TrytonServer) -> list[str]:
    """The leads at which automations left a note, once for each note."""
    return [row[0] for row in tryton.rows("SELECT resource FROM ir_note WHERE message LIKE '%[rescore %'")]


def be_interested(tryton: TrytonServer, lead: int) -> None:
    """A lead opens an e-mail of the campaign and clicks, as browsers do; a salesperson notes four calls."""
    urls = tryton.rows(
        "SELECT u.id FROM sale_opportunity o JOIN marketing_automation_record r"
        " ON r.record = 'party.party,' || o.party"
        " JOIN marketing_automation_record_activity s ON s.record = r.id"
        " JOIN web_shortened_url u ON u.record = 'marketing.automation.record.activity,' || s.id"
        " WHERE o.id = ?",
        lead,
    )
    for (number,) in urls:
        tryton.visit(number)
    note = {"resource": f"sale.opportunity,{lead}", "message": "Called again"}
    tryton.as_user("sales").call("model.ir.note.create", [note] * 4)


def score_leads(deployment: Deployment) -> Run:
    """A run of this moment: what people have just done has happened before it."""
    return deployment.run("score_leads", run_after=datetime.now(UTC))


def test_scores_reach_tryton_and_follow_what_people_do_there(connected, tryton, gateway):
    first = score_leads(connected)
    assert first.state == "success"
    assert shown(tryton) == expected(tryton)
    assert len({score for score, *_ in shown(tryton).values()}) > 5
    assert not left_by_us(tryton), "the first load fires nothing"

    writes = score_writes(gateway)
    assert score_leads(connected).state == "success"
    assert score_writes(gateway) == writes, "nothing changed, nothing is written"

    be_interested(tryton, 6)
    assert score_leads(connected).state == "success"
    assert shown(tryton) == expected(tryton)
    assert shown(tryton)[6] == (7 + 4 * 5 + 2 * 2 + 2 * 10, "A", 44, 7), "the campaign was seen twice"
    assert score_writes(gateway) == writes + 1
    assert left_by_us(tryton) == ["sale.opportunity,6"]
    assert score_leads(connected).counts_of("extract", "tryton")["set aside: made_by_rescore"] == 1
    assert left_by_us(tryton) == ["sale.opportunity,6"]


def test_an_edit_of_the_rules_is_adopted_and_only_what_it_changes_is_written(connected, tryton, gateway):
    assert score_leads(connected).state == "success"
    before, writes = shown(tryton), score_writes(gateway)
    connected.edit("activity: note, points: 5", "activity: note, points: 6")
    watch = connected.run("watch_rules")
    assert watch.counts("adopt_rules") == {"activated": 1, "held": 0, "unchanged": 0, "rejected": 0}
    assert connected.triggered() == [("b2b_saas__2__1", {"scorecard": "b2b_saas"})]
    assert connected.run("rescore_all", scorecard="b2b_saas").state == "success"
    after = shown(tryton)
    assert after == expected(tryton, note=6)
    changed = [lead for lead in after if after[lead] != before[lead]]
    assert 0 < len(changed) < len(after)
    assert score_writes(gateway) - writes == len(changed)


def test_answers_that_are_lost_double_nothing_and_lose_nothing(connected, tryton, gateway):
    gateway.plays += [(".write", answer_lost), ("search_read", call_lost)]
    assert score_leads(connected).state == "success", "the tasks try again"
    connected.end_waits()
    assert score_leads(connected).state == "success"
    assert shown(tryton) == expected(tryton)

    be_interested(tryton, 6)
    be_interested(tryton, 14)
    gateway.plays += [(".write", answer_lost), ("ir.note.create", answer_lost)]
    score_leads(connected)
    assert not gateway.plays, "both answers were lost"
    assert len(left_by_us(tryton)) in (1, 2)
    connected.end_waits()
    assert score_leads(connected).state == "success"
    assert shown(tryton) == expected(tryton)
    assert sorted(left_by_us(tryton)) == ["sale.opportunity,14", "sale.opportunity,6"]
    connected.end_waits()
    score_leads(connected)
    assert sorted(left_by_us(tryton)) == ["sale.opportunity,14", "sale.opportunity,6"]
