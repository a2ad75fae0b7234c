"""The page and the webhook receiver: what a person sees of the scores and of the automations."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from tests.sandbox_crm.client import PROPERTIES, Crm

HOSTILE = "<script>alert(1)</script>"


def send(crm: Crm, webhook_id: str, body: object, *, secret: str | None = None, age: timedelta = timedelta()):
    text, moment = json.dumps(body), datetime.now(UTC) - age
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret or crm.server.webhook_secret).sign(webhook_id, moment, text),
    }
    url = f"{crm.server.url}/sandbox/hooks/sales_alerts"
    return requests.post(url, data=text, headers=headers, timeout=10)


def write_scores(crm: Crm, **scores: tuple[str, str]) -> None:
    crm.post(f"{PROPERTIES}/groups", {"name": "rescore", "label": "Rescore"})
    for name in ("score", "band", "reasons"):
        kind = "number" if name == "score" else "string"
        body = {
            "name": f"rescore_{name}",
            "label": name,
            "type": kind,
            "fieldType": "text",
            "groupName": "rescore",
        }
        crm.post(PROPERTIES, body)
    for contact, (score, band) in scores.items():
        properties = {
            "rescore_score": score,
            "rescore_band": band,
            "rescore_reasons": f"Looked at pricing {HOSTILE}",
        }
        assert crm.update({"id": contact.removeprefix("c"), "properties": properties}).status_code == 200


def test_leads_are_listed_by_score_with_band_and_reasons(crm: Crm):
    write_scores(crm, c100001=("40", "C"), c100002=("9", "D"), c100003=("130", "A"))
    page = crm.get("/").text
    assert page.index("<b>130</b>") < page.index("<b>40</b>") < page.index("<b>9</b>")
    assert "Looked at pricing" in page


def test_the_page_shows_what_the_crm_holds_as_text_never_as_markup(crm: Crm):
    crm.update({"id": "100001", "properties": {"company": HOSTILE, "firstname": '"><img src=x>'}})
    write_scores(crm, c100001=("40", "C"))
    send(crm, "msg_1", {"note": HOSTILE})
    for params in ({}, {"q": HOSTILE}, {"band": HOSTILE}, {"card": HOSTILE}):
        answer = crm.get("/", **params)
        assert answer.status_code == 200
        assert HOSTILE not in answer.text
        assert "<img" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_leads_can_be_searched_and_narrowed_to_a_band(crm: Crm):
    write_scores(crm, c100001=("40", "C"), c100002=("130", "A"))
    crm.update({"id": "100001", "properties": {"company": "Findable Ltd"}})
    assert "1 lead<" in crm.get("/", q="findable").text
    assert "1 lead<" in crm.get("/", band="A").text
    assert "Nobody matches" in crm.get("/", q="no such lead").text


def test_two_scorecards_can_be_looked_at_one_at_a_time(crm: Crm):
    write_scores(crm, c100001=("40", "C"))
    body = {"name": "rescore_ae_score", "label": "Account Engagement: score", "type": "number"}
    assert crm.post(PROPERTIES, body | {"fieldType": "number", "groupName": "rescore"}).status_code == 201
    crm.update({"id": "100002", "properties": {"rescore_ae_score": "77"}})
    assert "<b>40</b>" in crm.get("/").text
    other = crm.get("/", card="rescore_ae").text
    assert "<b>77</b>" in other
    assert "<b>40</b>" not in other
    assert ">Account Engagement</option>" in other


def test_the_page_names_nobody_who_is_held_back(reading: Crm, world):
    shown = {record["properties"]["email"] for record in reading.everything("contacts")}
    held = [contact for contact in world.script.contacts if contact.properties["email"] not in shown]
    assert "Nobody matches" in reading.get("/", q=held[0].properties["email"]).text


@pytest.mark.parametrize(
    "params", [{"sort": "name"}, {"sort": "company"}, {"sort": "changed"}, {"page": 3}, {"page": 0}]
)
def test_the_page_can_be_sorted_and_turned(reading: Crm, params):
    assert reading.get("/", **params).status_code == 200


def test_a_signed_webhook_is_kept_once_and_its_repeats_are_counted(crm: Crm):
    for _ in range(3):
        assert send(crm, "msg_1", {"lead": "hubspot:100001"}).status_code == 200
    send(crm, "msg_2", {"lead": "hubspot:100002"})
    received = crm.get("/sandbox/received").json()["results"]
    assert [(delivery["webhook_id"], delivery["times"]) for delivery in received] == [
        ("msg_1", 3),
        ("msg_2", 1),
    ]
    assert received[0]["body"] == {"lead": "hubspot:100001"}
    assert crm.status()["deliveries"] == {"received": 2, "repeated": 2, "rejected": 0}
    assert "msg_1" in crm.get("/").text


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param(
            {"secret": "whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA=="}, id="signed with another secret"
        ),
        pytest.param({"age": timedelta(hours=1)}, id="an hour old"),
    ],
)
def test_a_webhook_that_does_not_verify_is_refused_and_counted(crm: Crm, forgery):
    assert send(crm, "msg_1", {"lead": 1}, **forgery).status_code == 401
    assert crm.get("/sandbox/received").json()["results"] == []
    assert crm.status()["deliveries"]["rejected"] == 1


def test_a_webhook_without_a_signature_is_refused(crm: Crm):
    url = f"{crm.server.url}/sandbox/hooks/sales_alerts"
    assert requests.post(url, json={"lead": 1}, timeout=10).status_code == 401


def test_contact_writes_are_counted_in_calls_and_records(crm: Crm):
    crm.update(*({"id": str(100001 + n), "properties": {"jobtitle": "x"}} for n in range(5)), {"id": "7"})
    assert crm.status()["contact_writes"] == {"batch_updates": 1, "records": 5}
