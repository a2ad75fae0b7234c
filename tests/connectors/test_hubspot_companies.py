"""Companies: accounts whose attributes leads carry, read in the order of change."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from rescore.connectors.catalog import load_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import CrmFieldMissing, MappingInvalid
from rescore.lake.lake import Lake
from tests.connectors.conftest import HUBSPOT_YAML, NOW

FAST = Limits(calls=10**6, searches=10**6, search_page=50, overlap=60)
MAPPING = HUBSPOT_YAML.read_text()
ACCOUNTS = """\
accounts:
  search: /crm/objects/2026-09/companies/search
  properties: /crm/properties/2026-09/companies
  attributes:
    company_industry: {property: industry, type: text}
    company_employees: {property: numberofemployees, type: number}
"""


def with_accounts(text=ACCOUNTS, leads=MAPPING):
    return load_mapping(f"{leads}\n{text}".encode(), "hubspot.yaml")


@pytest.fixture
def hubspot(server):
    return HubSpot(server.url, server.token, with_accounts(), FAST)


def read(hubspot, cursor=None, *, later=timedelta(0)):
    pages = list(hubspot.pages("companies", cursor, until=NOW + later))
    return {account.account_id: account for page in pages for account in page.accounts}, pages[-1].cursor


def test_every_company_is_read_once_with_typed_attributes(hubspot, server):
    assert hubspot.streams[:3] == ("contacts", "deleted contacts", "companies")
    accounts, _ = read(hubspot)
    rows = server.sandbox.store.rows(
        "SELECT id, properties ->> '$.industry' AS industry, properties ->> '$.numberofemployees' AS staff "
        "FROM objects WHERE type = 'companies'"
    )
    assert len(rows) > 50  # more than one page
    assert {id_: dict(account.attributes) for id_, account in accounts.items()} == {
        str(row["id"]): {"company_industry": row["industry"], "company_employees": float(row["staff"])}
        for row in rows
    }


def test_contacts_name_the_company_that_there_is(hubspot):
    accounts, _ = read(hubspot)
    pages = hubspot.pages("contacts", None, until=NOW)
    named = {lead.attributes["account"] for page in pages for lead in page.leads} - {None}
    assert named
    assert named <= accounts.keys()


def test_from_a_cursor_only_what_changed_since_comes(hubspot, server):
    accounts, cursor = read(hubspot)
    company = sorted(accounts)[0]
    server.sandbox.clock = lambda: NOW + timedelta(hours=2)
    edit = {
        "kind": "companies",
        "id": int(company),
        "properties": {"industry": "TOYS", "numberofemployees": ""},
    }
    headers = {"Authorization": f"Bearer {server.token}"}
    requests.post(f"{server.url}/sandbox/edit", json=edit, headers=headers, timeout=30).raise_for_status()
    changed, _ = read(hubspot, cursor, later=timedelta(hours=3))
    assert dict(changed[company].attributes) == {"company_industry": "TOYS", "company_employees": None}
    assert len(changed) < len(accounts)


def test_in_the_lake_each_lead_carries_what_its_company_is(hubspot, tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    for stream in ("contacts", "companies"):
        for number, page in enumerate(hubspot.pages(stream, None, until=NOW), start=1):
            lake.land("hubspot", page, stream=stream, number=number, known_at=NOW)
    accounts, _ = read(hubspot)
    with lake.facts() as facts:
        leads = facts.connection.sql(f"FROM {facts.leads}").to_arrow_table().to_pylist()
    assert len(leads) > 200
    for lead in leads:
        company = accounts[lead["account"]].attributes if lead["account"] else {}
        for name in ("company_industry", "company_employees"):
            assert lead[name] == company.get(name)


def test_a_company_property_that_is_not_there_is_named(server):
    mapping = with_accounts(ACCOUNTS.replace("property: industry", "property: sector"))
    crm = HubSpot(server.url, server.token, mapping, FAST)
    crm.setup()
    with pytest.raises(
        CrmFieldMissing, match=r"no company property `sector`; correct the mapping hubspot\.yaml"
    ):
        crm.check()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("industry", "leads have an attribute `industry` already; call the", id="the leads' own"),
        pytest.param("rescore_deleted", "attribute `rescore_deleted` is ours", id="ours"),
    ],
)
def test_a_name_that_is_taken_is_refused(name, said):
    with pytest.raises(MappingInvalid, match=said):
        with_accounts(ACCOUNTS.replace("company_industry", name))


def test_without_an_attribute_that_names_the_account_nobody_could_carry_it():
    leads = MAPPING.replace("    account:  ", "    company_id:  ")
    with pytest.raises(MappingInvalid, match="leads need an attribute `account` of type text"):
        with_accounts(leads=leads)
