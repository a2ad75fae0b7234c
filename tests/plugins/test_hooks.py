"""Connections become what the core needs, or a sentence that says what is missing."""

import json
from pathlib import Path

import pytest

from rescore.connectors.catalog import open_source, read_mapping
from rescore.errors import SettingsIncomplete
from rescore_airflow.hooks.connection import find_connection
from rescore_airflow.hooks.crm import connect
from rescore_airflow.hooks.webhooks import WebhookEndpoints
from rescore_airflow.workspace import ledger_url
from sandbox_salesforce.organisation import Account, Organisation
from sandbox_salesforce.testing import SalesforceServer

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]
SALESFORCE_YAML = Path(__file__).parents[2] / "include" / "mappings" / "examples" / "salesforce.yaml"
SECRET = "whsec_c2FuZGJveC1jcm0tc2VjcmV0LTAwMDAwMA=="


def test_the_hubspot_connection_gives_host_token_and_limits(deployment):
    deployment.connect("rescore_hubspot", "https://crm.example", "pat-1", batch=7)
    connector = connect("hubspot", deployment.workspace)
    assert (connector.name, connector.batch_size) == ("hubspot", 7)


@pytest.mark.parametrize(
    ("host", "extra", "sentence"),
    [
        pytest.param("", {}, "the Connection `rescore_hubspot` has no host", id="no host"),
        pytest.param("ftp://crm.example", {}, "is no web address", id="not the web"),
        pytest.param(
            "https://crm.example", {"batch": "many"}, "`batch` in the extra", id="limit is no number"
        ),
    ],
)
def test_a_connection_that_does_not_hold_is_a_sentence(deployment, host, extra, sentence):
    deployment.connect("rescore_hubspot", host, "pat-1", **extra)
    with pytest.raises(SettingsIncomplete, match=sentence):
        connect("hubspot", deployment.workspace)


def test_a_salesforce_connection_leads_in_by_the_fields_of_airflows_own_form(deployment, monkeypatch):
    who = Account()
    extra = {"security_token": who.security_token, "domain": "test", "client_id": "airflow"}
    with SalesforceServer(Organisation()) as server:
        said = {
            "conn_type": "salesforce",
            "host": server.url,
            "login": who.username,
            "password": who.password,
        }
        monkeypatch.setenv("AIRFLOW_CONN_RESCORE_SALESFORCE", json.dumps({**said, "extra": extra}))
        connector = open_source(find_connection("rescore_salesforce"), read_mapping(SALESFORCE_YAML))
        assert connector.fingerprint() == "organisation 00D5g000004SandEAE"


def test_a_source_nobody_knows_is_a_sentence_with_those_there_are(deployment):
    with pytest.raises(SettingsIncomplete, match="called `salesforce`; those there are: hubspot"):
        connect("salesforce", deployment.workspace)


def test_a_webhook_connection_has_to_opt_in(deployment):
    deployment.connect("sales_alerts", "https://hooks.example/mql", SECRET, rescore_webhook=True)
    deployment.connect("payroll", "https://payroll.example", SECRET)
    deployment.connect("nearly", "https://nearly.example", SECRET, rescore_webhook="no")
    endpoints = WebhookEndpoints()
    assert endpoints["sales_alerts"].url == "https://hooks.example/mql"
    assert endpoints["sales_alerts"].secret == SECRET
    for conn_id in ("payroll", "nearly"):
        with pytest.raises(SettingsIncomplete, match="does not allow Rescore to send to it"):
            endpoints[conn_id]
    with pytest.raises(SettingsIncomplete, match="there is no Connection `unheard_of`"):
        endpoints["unheard_of"]


def test_secrets_are_not_shown_by_what_holds_them(deployment):
    deployment.connect("sales_alerts", "https://hooks.example/mql", SECRET, rescore_webhook=True)
    assert SECRET not in repr(WebhookEndpoints()["sales_alerts"])


def test_the_ledgers_connection_wins_over_the_environment(deployment, monkeypatch):
    assert ledger_url() is None
    monkeypatch.setenv("AIRFLOW_CONN_RESCORE_LEDGER", "postgres://rescore:p%40ss@db.example:5433/ledger")
    assert ledger_url() == "postgresql+psycopg://rescore:p%40ss@db.example:5433/ledger"
    monkeypatch.setenv("AIRFLOW_CONN_RESCORE_LEDGER", "http://db.example")
    with pytest.raises(SettingsIncomplete, match="has to be of type postgres"):
        ledger_url()
