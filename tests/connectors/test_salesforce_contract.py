"""Salesforce keeps every promise of a connector, shown on a sandbox organisation."""

import pytest

from rescore.connectors.salesforce import Salesforce
from sandbox_salesforce.testing import SalesforceServer
from tests.connectors.contract import VendorContract
from tests.connectors.salesforce_rig import salesforce


class SalesforceRig:
    score, text = "Rescore_Score__c", "Rescore_Band__c"

    def __init__(self, server: SalesforceServer) -> None:
        self._server = server
        self._org = server.organisation
        self.connector: Salesforce = salesforce(server, page=200, overlap=60)
        rows = self._org.records.rows
        contacts = [one for one, row in rows["Contact"].items() if not row["IsDeleted"]]
        leads = [one for one, row in rows["Lead"].items() if not (row["IsDeleted"] or row["IsConverted"])]
        deleted = [one for one, row in rows["Lead"].items() if row["IsDeleted"] and not row["MasterRecordId"]]
        self.dates = {one: rows["Lead"][one]["SystemModstamp"] for one in leads}
        self.leads = [leads[0], contacts[0], *leads[1:], *contacts[1:], *deleted]

    def shown(self, lead_id: str, name: str) -> str | None:
        value = self._org.records.find(lead_id)[1][name]
        return None if value is None else f"{value:g}" if isinstance(value, float) else value

    def people(self) -> int:
        return len(self._org.records.rows["Lead"]) + len(self._org.records.rows["Contact"])

    def edit_by_hand(self, lead_id: str, name: str, value: str) -> None:
        kind, _ = self._org.records.find(lead_id)
        self._org.records.update(kind, lead_id, {name: float(value)}, self._org.admin)

    def limit_rate(self, seconds: float) -> None:
        body = [{"message": "limited", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        self._fault(status=403, headers={"Retry-After": str(seconds)}, body=body)

    def go_down(self) -> None:
        self._fault(cut="before")

    def lock_out(self) -> None:
        body = {"error": "invalid_grant", "error_description": "authentication failure"}
        self._org.end_sessions()
        self._server.fault(path="/services/oauth2/", status=400, body=body, count=1)

    def _fault(self, **what: object) -> None:
        self._server.fault(path="/services/data/", **what)


@pytest.fixture
def rig(organisation: SalesforceServer) -> SalesforceRig:
    return SalesforceRig(organisation)


class TestSalesforce(VendorContract):
    pass
