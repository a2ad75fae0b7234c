"""HubSpot keeps every promise of a connector, shown on the sandbox CRM."""

import json

import pytest
import requests

from rescore.connectors.hubspot import HubSpot, Limits
from rescore.mapping import Mapping
from sandbox_crm.testing import SandboxServer
from tests.connectors.contract import VendorContract

FAST = Limits(calls=10**6, searches=10**6, search_page=20, overlap=60)
UPDATE = "/crm/objects/2026-09/contacts/batch/update"


class SandboxRig:
    score, text = "rescore_score", "rescore_band"

    def __init__(self, server: SandboxServer, mapping: Mapping) -> None:
        self._server = server
        self.connector = HubSpot(server.url, server.token, mapping, FAST)
        self.connector.setup()
        rows = server.sandbox.store.rows(
            "SELECT id, modified FROM objects WHERE type = 'contacts' AND visible ORDER BY id"
        )
        self.dates = {str(row["id"]): row["modified"] for row in rows}
        self.leads = list(self.dates)

    def shown(self, lead_id: str, name: str) -> str | None:
        rows = self._server.sandbox.store.rows("SELECT properties FROM objects WHERE id = ?", (int(lead_id),))
        return json.loads(rows[0]["properties"]).get(name)

    def people(self) -> int:
        return self._server.sandbox.store.rows("SELECT count(*) FROM objects WHERE type = 'contacts'")[0][0]

    def edit_by_hand(self, lead_id: str, name: str, value: str) -> None:
        body = {"id": int(lead_id), "properties": {name: value}}
        requests.post(f"{self._server.url}/sandbox/edit", json=body, timeout=30).raise_for_status()

    def limit_rate(self, seconds: float) -> None:
        self._fault(status=429, headers={"Retry-After": str(seconds)}, body={"policyName": "DAILY"})

    def go_down(self) -> None:
        self._fault(cut="before")

    def lock_out(self) -> None:
        self._fault(status=401, body={"category": "INVALID_AUTHENTICATION"})

    def _fault(self, **fault: object) -> None:
        faults = {"faults": [{"path": "/crm/", "method": "POST", **fault}]}
        requests.post(f"{self._server.url}/sandbox/faults", json=faults, timeout=30).raise_for_status()


@pytest.fixture
def rig(server: SandboxServer, mapping: Mapping) -> SandboxRig:
    return SandboxRig(server, mapping)


class TestHubSpot(VendorContract):
    pass
