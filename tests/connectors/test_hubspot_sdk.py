"""What goes over the wire is what HubSpot's own SDK sends for the same operation.

The SDK still names versions by number; where only the version differs, the rest of the path has to agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hubspot import HubSpot as Sdk
from hubspot.crm.associations import v4 as associations
from hubspot.crm.contacts import models as contacts
from hubspot.crm.deals import models as deals
from hubspot.crm.objects.tasks import models as tasks
from hubspot.crm.properties import models as properties

from rescore.connectors.actions import NewTask
from rescore.connectors.base import ScoreUpdate
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.connectors.hubspot.deletions import deleted_leads, deleted_pages
from rescore.connectors.hubspot.search import changed_since
from rescore.connectors.hubspot.sweep import EVERY, Sweep
from rescore.connectors.hubspot.ties import contacts_of
from rescore.connectors.hubspot.values import EPOCH
from tests.connectors.pretend_server import PretendServer, Reply

TOKEN = "pat-eu1-1"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT_MS = "1795262400000"
VERSION = re.compile(r"/(v[0-9]|[0-9]{4}-[0-9]{2})(?=/|$)")
LIMITS = Limits(calls=10**6, searches=10**6, overlap=0)


@dataclass
class Case:
    """One operation as both do it; `path` is ours where HubSpot gave the dated endpoint another name."""

    ours: Callable[[HubSpot], object]
    theirs: Callable[[Sdk], object]
    path: str | None = None


def search(crm: HubSpot, path: str, modified: str, names: list[str]) -> object:
    return list(
        changed_since(crm._client, path, modified=modified, properties=names, cursor={"since": 5}, until=AT)
    )


def searched(models: Any, modified: str, names: list[str]) -> object:
    def limit(operator: str, value: str) -> object:
        return models.Filter(property_name=modified, operator=operator, value=value)

    return models.PublicObjectSearchRequest(
        filter_groups=[models.FilterGroup(filters=[limit("GTE", "5"), limit("LTE", AT_MS)])],
        sorts=[{"propertyName": modified, "direction": "ASCENDING"}],
        properties=[*names, modified],
        limit=200,
    )


def read_by(**given: Any) -> object:
    ids = [contacts.SimplePublicObjectId(id=one) for one in given.pop("ids")]
    return contacts.BatchReadInputSimplePublicObjectId(inputs=ids, **given)


def task_of(contact: str) -> object:
    kind = tasks.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=204)
    return tasks.SimplePublicObjectInputForCreate(
        properties={
            "hs_task_subject": "Call Ada",
            "hs_task_status": "NOT_STARTED",
            "hs_task_type": "TODO",
            "hs_timestamp": "2026-11-21T12:00:00.000Z",
            "rescore_delivery": "d-1",
            "rescore_automation": "mql",
            "hubspot_owner_id": "7001",
        },
        associations=[tasks.PublicAssociationsForObject(to=tasks.PublicObjectId(id=contact), types=[kind])],
    )


def swept(crm: HubSpot) -> object:
    state = {"began": 0, "after": "100"}
    path = crm.mapping.activities["calls"].listing
    sweep = Sweep(crm._client, path, properties=["hs_call_title", "x"], state=state, now=EVERY)
    return list(sweep.rows())


CASES = {
    "contacts that changed": Case(
        lambda crm: search(crm, crm.mapping.leads.search, "lastmodifieddate", ["jobtitle"]),
        lambda sdk: sdk.crm.contacts.search_api.do_search(
            searched(contacts, "lastmodifieddate", ["jobtitle"])
        ),
    ),
    "deals that changed": Case(
        lambda crm: search(crm, crm.mapping.activities["deals"].search, "hs_lastmodifieddate", ["amount"]),
        lambda sdk: sdk.crm.deals.search_api.do_search(searched(deals, "hs_lastmodifieddate", ["amount"])),
    ),
    "contacts by address": Case(
        lambda crm: crm._recipients.contacts(["ada@x.example"]),
        lambda sdk: sdk.crm.contacts.batch_api.read(
            read_by(ids=["ada@x.example"], id_property="email", properties=["email", "hs_additional_emails"])
        ),
    ),
    "the history of a property": Case(
        lambda crm: crm.edits(["1"], ["rescore_score"]),
        lambda sdk: sdk.crm.contacts.batch_api.read(
            read_by(ids=["1"], properties=[], properties_with_history=["rescore_score"])
        ),
    ),
    "scores": Case(
        lambda crm: crm.write([ScoreUpdate("1", {"rescore_score": 40, "rescore_changed_at": AT})]),
        lambda sdk: sdk.crm.contacts.batch_api.update(
            contacts.BatchInputSimplePublicObjectBatchInput(
                inputs=[
                    contacts.SimplePublicObjectBatchInput(
                        id="1",
                        object_write_trace_id="1",
                        properties={
                            "rescore_score": "40",
                            "rescore_changed_at": "2026-11-21T12:00:00.000Z",
                        },
                    )
                ]
            )
        ),
    ),
    "deleted contacts": Case(
        lambda crm: list(
            deleted_pages(
                crm._client, crm.mapping.leads.deleted, {"after": "7"}, until=AT, gone=deleted_leads
            )
        ),
        lambda sdk: sdk.crm.contacts.basic_api.get_page(archived=True, limit=100, after="7"),
    ),
    "calls in turn": Case(
        swept,
        lambda sdk: sdk.crm.objects.calls.basic_api.get_page(
            limit=100, properties=["hs_call_title", "x"], after="100"
        ),
    ),
    "whom deals are about": Case(
        lambda crm: contacts_of(crm._client, crm.mapping.activities["deals"].associations, ["5", "6"]),
        lambda sdk: sdk.crm.associations.v4.batch_api.get_page(
            "deals",
            "contacts",
            associations.BatchInputPublicFetchAssociationsBatchRequest(
                inputs=[associations.PublicFetchAssociationsBatchRequest(id=one) for one in ("5", "6")]
            ),
        ),
    ),
    "a task": Case(
        lambda crm: crm.tasks.create(NewTask("1", "Call Ada", AT, "7001", "d-1", "mql")),
        lambda sdk: sdk.crm.objects.tasks.basic_api.create(task_of("1")),
    ),
    "a property": Case(
        lambda crm: crm._client.post(crm.mapping.leads.properties, PROPERTY),
        lambda sdk: sdk.crm.properties.core_api.create(
            "contacts",
            properties.PropertyCreate(
                name="rescore_score",
                label="Score",
                type="number",
                field_type="number",
                group_name="rescore",
                description="Ours",
            ),
        ),
    ),
    "a group of properties": Case(
        lambda crm: crm._client.post(crm.mapping.leads.groups, {"name": "rescore", "label": "Rescore"}),
        lambda sdk: sdk.crm.properties.groups_api.create(
            "contacts", properties.PropertyGroupCreate(name="rescore", label="Rescore")
        ),
    ),
    "all properties": Case(
        lambda crm: crm._client.get(crm.mapping.leads.properties),
        lambda sdk: sdk.crm.properties.core_api.get_all("contacts"),
    ),
    "page views": Case(
        lambda crm: list(crm.pages("page_views", {"since": 0}, until=AT)),
        lambda sdk: sdk.events.events_api.get_page(
            object_type="contact",
            event_type="e_visited_page",
            occurred_after=EPOCH,
            occurred_before=AT,
            sort=["occurredAt"],
            limit=100,
        ),
        path="/events/event-occurrences",
    ),
}
PROPERTY = {
    "name": "rescore_score",
    "label": "Score",
    "type": "number",
    "fieldType": "number",
    "groupName": "rescore",
    "description": "Ours",
}


@pytest.fixture
def server() -> Iterator[PretendServer]:
    answer = {"id": "5", "results": [], "total": 0, "status": "COMPLETE"}
    with PretendServer(lambda asked: Reply(body=answer)) as server:
        yield server


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_both_send_the_same(server, mapping, case):
    sdk = Sdk(access_token=TOKEN, host=server.url, client_side_validation=False)
    _sent(lambda: case.theirs(sdk))
    case.ours(HubSpot(server.url, TOKEN, mapping, LIMITS))
    theirs, ours = server.asked
    assert ours.method == theirs.method
    assert _below_version(ours.path) == (case.path or _below_version(theirs.path))
    assert _comparable(ours) == _comparable(theirs)
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    if ours.body:
        assert ours.json == theirs.json
        assert ours.headers["content-type"] == theirs.headers["content-type"] == "application/json"


def test_every_path_that_we_share_with_it_is_dated(server, mapping):
    for case in CASES.values():
        case.ours(HubSpot(server.url, TOKEN, mapping, LIMITS))
    assert all("/2026-09" in asked.path for asked in server.asked)


def _sent(call: Callable[[], object]) -> None:
    """What the SDK makes of the answer is not looked at: it misses fields in ours."""
    try:
        call()
    except (ValueError, TypeError, AttributeError):
        return


def _below_version(path: str) -> str:
    return VERSION.sub("", path).rstrip("/")


def _comparable(asked: Any) -> dict[str, list[Any]]:
    """Its query by name; times and flags by what they mean, for they have several spellings."""
    found: dict[str, list[Any]] = {}
    for name, value in parse_qsl(urlsplit(f"?{asked.raw_query}").query):
        found.setdefault(name, []).append(_meant(value))
    return found


def _meant(value: str) -> object:
    if value.lower() in ("true", "false"):
        return value.lower()
    try:
        return datetime.fromisoformat(value) if "T" in value else value
    except ValueError:
        return value
