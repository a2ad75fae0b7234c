"""Companies: accounts whose attributes leads carry, read in the order of change."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import requests

from rescore.connectors.catalog import load_mapping
from rescore.connectors.hubspot import HubSpot, Limits
from rescore.errors import CrmFieldMissing, MappingInvalid
from rescore.lake.lake import Lake
from tests.connectors.conftest import HUBSPOT_YAML, NOW

FAST = Limits(calls=10**6, searches=10**6, search_page=50, overlap=60)
COMPANIES = "/crm/objects/2026-09/companies"
MAPPING = HUBSPOT_YAML.read_text()
ACCOUNTS = """\
accounts:
  search: /crm/objects/2026-09/companies/search
  properties: /crm/properties/2026-09/companies
  deleted: /crm/objects/2026-09/companies
  attributes:
    company_industry: {property: industry, type: text}
    company_employees: {property: numberofemployees, type: number}
"""


def with_accounts(text=ACCOUNTS, leads=MAPPING):
    return load_mapping(f"{leads}\n{text}".encode(), "hubspot.yaml")


@pytest.fixture
def hubspot(server):
    return HubSpot(server.url, server.token, with_accounts(), FAST)


@pytest.fixture
def call(server):
    def call(method, path, **body):
        headers = {"Authorization": f"Bearer {server.token}"}
        answer = requests.request(method, server.url + path, json=body or None, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer

    return call


def read(hubspot, cursor=None, *, later=timedelta(0), stream="companies"):
    pages = list(hubspot.pages(stream, cursor, until=NOW + later))
    return {account.account_id: account for page in pages for account in page.accounts}, pages[-1].cursor


def test_every_company_is_read_once_with_typed_attributes(hubspot, server):
    assert hubspot.streams[:4] == ("contacts", "deleted contacts", "companies", "deleted companies")
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


def test_from_a_cursor_only_what_changed_since_comes(hubspot, server, call):
    accounts, cursor = read(hubspot)
    company = sorted(accounts)[0]
    server.sandbox.clock = lambda: NOW + timedelta(hours=2)
    values = {"industry": "TOYS", "numberofemployees": ""}
    call("POST", "/sandbox/edit", kind="companies", id=int(company), properties=values)
    changed, _ = read(hubspot, cursor, later=timedelta(hours=3))
    assert dict(changed[company].attributes) == {"company_industry": "TOYS", "company_employees": None}
    assert len(changed) < len(accounts)


def test_all_deleted_companies_are_listed_once_an_hour_and_a_restored_one_comes_as_changed(hubspot, call):
    accounts, cursor = read(hubspot)
    gone = sorted(accounts)[:2]
    for company in gone:
        call("DELETE", f"{COMPANIES}/{company}")
    deleted, listed = read(hubspot, stream="deleted companies")
    assert [(one.account_id, one.deleted) for one in deleted.values()] == [(one, True) for one in gone]
    assert gone[0] not in read(hubspot)[0]
    within = timedelta(minutes=59)
    assert list(hubspot.pages("deleted companies", listed, until=NOW + within)) == []
    call("POST", f"/sandbox/restore/{gone[0]}")
    still, _ = read(hubspot, listed, stream="deleted companies", later=timedelta(minutes=61))
    assert [*still] == gone[1:]
    assert not read(hubspot, cursor)[0][gone[0]].deleted


@pytest.mark.parametrize("anew", [True, False], ids=["a new record is made", "the first one stays"])
def test_a_merge_names_the_lost_companies(hubspot, server, call, anew):
    server.sandbox.merges_make_new = anew
    first, second, third = sorted(read(hubspot)[0])[:3]
    left = call("POST", f"{COMPANIES}/merge", primaryObjectId=first, objectIdToMerge=second).json()["id"]
    assert (left == first) is not anew
    accounts, _ = read(hubspot)
    assert accounts[left].merged == ((first, second) if anew else (second,))
    assert {first, second} & accounts.keys() == {left} - {left if anew else ""}
    last = call("POST", f"{COMPANIES}/merge", primaryObjectId=third, objectIdToMerge=left).json()["id"]
    assert {first, second, left} - {last} <= {*read(hubspot)[0][last].merged}


def test_the_leads_of_a_company_that_goes_are_others_or_nobodys(hubspot, server, call, tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    cursors, landed = {}, Counter()

    def land(now=NOW):
        """Whom a reading of all three streams wakes, and of each lead its company and the industry."""
        woken = set()
        for stream in ("contacts", "companies", "deleted companies"):
            for page in hubspot.pages(stream, cursors.get(stream), until=now):
                others = {name: last for name, last in landed.items() if name != stream}
                told = lake.land(
                    "hubspot",
                    page,
                    stream=stream,
                    number=landed[stream] + 1,
                    known_at=now,
                    committed=landed[stream],
                    others=others,
                )
                cursors[stream] = page.cursor
                landed[stream] += 1
                woken |= {*told.leads}
        with lake.facts() as facts:
            rows = facts.connection.sql(f"FROM {facts.leads}").to_arrow_table().to_pylist()
        return woken, {row["lead"]: (row["account"], row["company_industry"]) for row in rows}

    _, before = land()
    has = Counter(company for company, _ in before.values() if company)
    (lost, _), (merged, _), (into, _) = has.most_common(3)
    industry = next(told for company, told in before.values() if company == into)
    call("DELETE", f"{COMPANIES}/{lost}")
    left = call("POST", f"{COMPANIES}/merge", primaryObjectId=into, objectIdToMerge=merged).json()["id"]
    woken, after = land(NOW + timedelta(hours=2))
    now = {lost: (None, None), merged: (left, industry), into: (left, industry)}
    assert after == {lead: now.get(company, (company, told)) for lead, (company, told) in before.items()}
    assert woken == {lead for lead, (company, _) in before.items() if company in now}
    assert land(NOW + timedelta(hours=4))[0] == set()
    server.sandbox.clock = lambda: NOW + timedelta(hours=5)
    call("POST", f"/sandbox/restore/{lost}")
    woken, again = land(NOW + timedelta(hours=6))
    assert again == after | {lead: had for lead, had in before.items() if had[0] == lost}
    assert woken == {lead for lead, (company, _) in before.items() if company == lost}


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


def test_ids_that_lead_to_companies_have_no_prefix():
    leads = MAPPING.replace(
        "{property: associatedcompanyid, type: text}",
        "{property: associatedcompanyid, type: text, prefix: a-}",
    )
    with pytest.raises(MappingInvalid, match="give the other source's ids the `prefix`"):
        with_accounts(leads=leads)
