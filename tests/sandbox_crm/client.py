"""Calls a sandbox CRM over its socket, as a connector would."""

from collections.abc import Iterator
from typing import Any

import requests

from sandbox_crm.testing import SandboxServer

OBJECTS = "/crm/objects/2026-09"
EVENTS = "/events/event-occurrences/2026-09"
EMAIL = "/email/public/v1/events"
SUBMISSIONS = "/form-integrations/v1/submissions/forms"
PROPERTIES = "/crm/properties/2026-09/contacts"
MODIFIED = {"contacts": "lastmodifieddate"}


class Crm:
    """A session with the right token, and the reading loops every test needs."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {server.token}"

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.session.get(self.server.url + path, params=params, timeout=10)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.session.post(self.server.url + path, json=body, timeout=10)

    def search(self, kind: str, *filters: dict[str, Any], **more: Any) -> requests.Response:
        groups = [{"filters": list(filters)}] if filters else []
        body = {"filterGroups": groups, "limit": 200} | more
        return self.post(f"{OBJECTS}/{kind}/search", body)

    def everything(self, kind: str, **more: Any) -> list[dict[str, Any]]:
        """All visible records of a kind, oldest change first."""
        by_change = {"propertyName": MODIFIED.get(kind, "hs_lastmodifieddate"), "direction": "ASCENDING"}
        found, after = [], "0"
        while after:
            page = self.search(kind, sorts=[by_change], after=after, **more).json()
            found += page["results"]
            after = page.get("paging", {}).get("next", {}).get("after")
        return found

    def paged(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list that is paged with `after`."""
        while True:
            page = self.get(path, **params).json()
            yield from page["results"]
            if "paging" not in page:
                return
            params["after"] = page["paging"]["next"]["after"]

    def emails(self, **params: Any) -> Iterator[dict[str, Any]]:
        """All e-mail events."""
        while True:
            page = self.get(EMAIL, **params).json()
            yield from page["events"]
            if not page["hasMore"]:
                return
            params["offset"] = page["offset"]

    def forms(self) -> dict[str, str]:
        """Guid of each form, by its name."""
        return {form["name"]: form["id"] for form in self.get("/marketing/v3/forms").json()["results"]}

    def update(self, *inputs: dict[str, Any]) -> requests.Response:
        return self.post(f"{OBJECTS}/contacts/batch/update", {"inputs": list(inputs)})

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/sandbox/status").json()
        return found
