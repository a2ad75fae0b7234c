"""Every kind of action in a real Airflow: from a crossing to a task, a field, a channel and a mailbox."""

import json
import sqlite3
from collections.abc import Iterator

import pytest
import requests

from tests.connectors.pretend_server import PretendServer, Reply
from tests.delivery.actions.mailbox import Mailbox, Serving

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]

CROSSING = (
    "fire_when: {score: {at_least: 100}, fit: {at_least: 20}}\n    ready_again_when: {score: {below: 85}}"
)
OFTEN = "fire_when: {score: {at_least: 25}}\n    ready_again_when: {score: {below: 1}}"
WEBHOOK = "do: [{webhook: {connection: sales_alerts}}]"
EVERYTHING = """do:
      - crm_task: {target: hubspot, title: "Call: {score} points", due: 2d}
      - crm_fields: {target: hubspot, set: {hs_lead_status: {value: OPEN, only_from: [NEW], if_empty: true}}}
      - slack: {connection: sales_slack, text: "{label}: {lead_id} <{score}>"}
      - email: {connection: office_mail, to: [sales@example.com], subject: "{label}", text: "{lead_id}"}"""


@pytest.fixture
def slack() -> Iterator[PretendServer]:
    with PretendServer(lambda asked: Reply(200, b"ok")) as server:
        yield server


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def connected(deployment, crm, slack, mailbox):
    """Rules that cross often, a policy that names our domain, and a Connection for everything."""
    deployment.edit(CROSSING, OFTEN)
    deployment.edit(WEBHOOK, EVERYTHING)
    policy = deployment.rules.parent / "policy.yaml"
    policy.write_text("internal_domains: [example.com]\n")
    with Serving(mailbox) as port:
        mail = {"rescore_email": True, "from_email": "rescore@example.com"}
        mail |= {"disable_ssl": True, "disable_tls": True}
        chat = {"conn_type": "slackwebhook", "host": slack.url, "password": "T0/B0/secret"}
        office = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": mail}
        deployment.environment |= {
            "RESCORE_POLICY_FILE": str(policy),
            "AIRFLOW_CONN_SALES_SLACK": json.dumps(chat | {"extra": {"rescore_slack": True}}),
            "AIRFLOW_CONN_OFFICE_MAIL": json.dumps(office),
        }
        deployment.connect("unused", "https://unused.example", "")
        yield deployment


def deliveries(deployment) -> list[tuple[str, str, str]]:
    with sqlite3.connect(deployment.rules.parent / "ledger.db") as connection:
        return connection.execute(
            "select kind, state, count(*) from delivery where automation = 'mql' group by 1, 2 order by 1"
        ).fetchall()


def test_a_crossing_reaches_sales_in_every_way_once(connected, crm, slack, mailbox):
    assert connected.run("score_leads").state == "success"
    requests.post(f"{crm.url}/sandbox/release", timeout=10).raise_for_status()
    run = connected.run("score_leads")
    assert run.state == "success"
    counted = deliveries(connected)
    crossed = counted[0][2]
    assert crossed > 0
    assert counted == [(kind, "delivered", crossed) for kind in ("crm_fields", "crm_task", "email", "slack")]
    assert crm.sandbox.tasks_made == len(slack.asked) == len(mailbox.taken) == crossed
    assert "&lt;" in slack.asked[0].json["text"]
