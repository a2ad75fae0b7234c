"""Leads and contacts of Salesforce: one person each, whatever becomes of their records."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.checkup import checks
from rescore.connectors.salesforce import Salesforce, SalesforceMapping
from rescore.errors import CrmFieldMissing, CrmLacksScope
from rescore.lake.records import LeadRecord
from rescore.mapping import PathSamePerson
from rescore.withheld import OBJECTS
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.testing import SalesforceServer
from tests.connectors.salesforce_rig import MAPPING, salesforce

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW + timedelta(hours=3)


def people(crm: Salesforce, cursor=None, until=NOW) -> tuple[dict[str, LeadRecord], dict]:
    pages = list(crm.pages("people", cursor, until=until))
    return {one.lead_id: one for page in pages for one in page.leads}, pages[-1].cursor


def test_a_person_comes_with_typed_attributes_and_an_address(empty: SalesforceServer):
    org = empty.organisation
    account = org.records.insert("Account", "", Name="Acme", Industry="Energy", NumberOfEmployees=40.0)
    contact = org.records.insert("Contact", "", Title="CTO", AccountId=account, Email="a@example.com")
    found, _ = people(salesforce(empty))
    assert found[contact].addresses == ("a@example.com",)
    told = found[contact].attributes
    assert (told["job_title"], told["industry"], told["company_size"]) == ("CTO", "Energy", 40.0)
    assert (told["email_opt_out"], told["account"], told["lead_status"]) == (False, account, None)
    assert told["created_at"] == NOW


def test_fields_are_found_whatever_the_case_in_which_a_mapping_spells_them(empty: SalesforceServer):
    records = empty.organisation.records
    account = records.insert("Account", "", Industry="Energy")
    contact = records.insert("Contact", "", Title="CTO", AccountId=account)
    spelled = {
        name: one.model_copy(update={"property": one.property.swapcase()})
        for name, one in MAPPING.leads.attributes.items()
        if name in ("job_title", "industry")
    }
    leads = {"attributes": MAPPING.leads.attributes | spelled, "kinds": ("Contact",)}
    mapping = MAPPING.model_copy(update={"leads": MAPPING.leads.model_copy(update=leads)})
    found, _ = people(salesforce(empty, mapping))
    assert found[contact].attributes["job_title"] == "CTO"
    assert found[contact].attributes["industry"] == "Energy"


def known_by(*fields: str) -> SalesforceMapping:
    """The example's contacts, known elsewhere by some of their fields."""
    told = {"records": {"warehouse": fields}}
    leads = {"same_person": PathSamePerson.model_validate(told), "kinds": ("Contact",)}
    return MAPPING.model_copy(update={"leads": MAPPING.leads.model_copy(update=leads)})


def test_a_person_is_known_elsewhere_by_the_records_own_id_or_by_a_number_of_their_account(empty):
    records = empty.organisation.records
    account = records.insert("Account", "", NumberOfEmployees=4711.0)
    contact = records.insert("Contact", "", AccountId=account)
    found, _ = people(salesforce(empty, known_by("Id", "Account.NumberOfEmployees")))
    assert found[contact].same_as == (f"warehouse:{contact}", "warehouse:4711")


def test_a_field_that_is_spelled_in_two_ways_is_named(empty):
    with pytest.raises(CrmFieldMissing, match="`Id`, `id` are one field of Salesforce's `Contact`"):
        people(salesforce(empty, known_by("id")))


def test_a_converted_lead_is_its_contact_from_then_on(empty: SalesforceServer):
    org = empty.organisation
    org.clock = lambda: EARLIER
    lead, contact = org.records.insert("Lead", ""), org.records.insert("Contact", "", Title="CEO")
    crm = salesforce(empty)
    before, cursor = people(crm)
    assert set(before) == {lead, contact}
    org.clock = lambda: LATER
    org.records.convert(lead, contact)
    after, _ = people(crm, cursor, LATER)
    assert after.keys() == {contact}
    assert after[contact].merged == (lead,)
    assert after[contact].attributes["job_title"] == "CEO"


def test_a_converted_lead_that_is_deleted_is_still_its_contact(empty: SalesforceServer):
    org = empty.organisation
    lead, contact = org.records.insert("Lead", ""), org.records.insert("Contact", "")
    org.records.convert(lead, contact)
    org.records.delete("Lead", lead)
    found = [one for page in salesforce(empty).pages("people", None, until=NOW) for one in page.leads]
    assert [(one.lead_id, one.merged, one.deleted) for one in found] == [
        (contact, (lead,), False),
        (contact, (), False),
    ]


def test_the_loser_of_a_merge_is_the_winner_through_a_chain_of_merges_too(empty: SalesforceServer):
    org = empty.organisation
    first, second, third = (org.records.insert("Lead", "", Title=title) for title in ("a", "b", "c"))
    crm = salesforce(empty)
    _, cursor = people(crm)
    org.clock = lambda: LATER
    org.records.delete("Lead", first, master=second)
    org.records.delete("Lead", second, master=third)
    pages = list(crm.pages("people", cursor, until=LATER))
    merged = {gone: one.lead_id for page in pages for one in page.leads for gone in one.merged}
    assert merged == {first: third, second: third}
    assert {one.lead_id for page in pages for one in page.leads} == {third}


def test_a_lead_whose_contact_is_merged_away_is_the_contact_that_is_left(empty: SalesforceServer):
    org = empty.organisation
    lead, gone = org.records.insert("Lead", ""), org.records.insert("Contact", "")
    left = org.records.insert("Contact", "")
    org.records.convert(lead, gone)
    org.records.delete("Contact", gone, master=left)
    found = [one for page in salesforce(empty).pages("people", None, until=NOW) for one in page.leads]
    assert {gone: one.lead_id for one in found for gone in one.merged} == {lead: left, gone: left}


def test_a_deleted_person_is_told_as_deleted_and_comes_back_when_restored(empty: SalesforceServer):
    org = empty.organisation
    lead = org.records.insert("Lead", "")
    org.records.delete("Lead", lead)
    crm = salesforce(empty)
    found, cursor = people(crm)
    assert found[lead].deleted
    org.clock = lambda: LATER
    org.records.rows["Lead"][lead]["IsDeleted"] = False
    org.records.update("Lead", lead, {}, org.admin)
    found, _ = people(crm, cursor, LATER)
    assert not found[lead].deleted


def test_a_conversion_whose_contact_is_hidden_is_set_aside(empty: SalesforceServer):
    org = empty.organisation
    lead = org.records.insert("Lead", "", IsConverted=True, ConvertedContactId="003000000000001AAA")
    pages = list(salesforce(empty).pages("people", None, until=NOW))
    assert [(one.record_id, one.reason) for page in pages for one in page.set_aside] == [
        (lead, "successor_not_visible")
    ]


def test_an_accounts_change_is_news_of_its_contacts(empty: SalesforceServer):
    org = empty.organisation
    org.clock = lambda: EARLIER
    account, other = (org.records.insert("Account", "", Industry="Energy") for _ in range(2))
    contact, _ = (org.records.insert("Contact", "", AccountId=one) for one in (account, other))
    crm = salesforce(empty, overlap=60)
    _, cursor = people(crm)
    org.clock = lambda: LATER - timedelta(minutes=10)
    org.records.update("Account", account, {"Industry": "Retail"}, org.admin)
    found, cursor = people(crm, cursor, LATER)
    assert {lead: one.attributes["industry"] for lead, one in found.items()} == {contact: "Retail"}
    assert people(crm, cursor, LATER + timedelta(hours=1))[0] == {}


def test_an_objection_stands_at_the_individual_and_is_news_of_the_person(empty: SalesforceServer):
    org = empty.organisation
    individual = org.records.insert("Individual", "")
    lead = org.records.insert("Lead", "", IndividualId=individual)
    leads = MAPPING.leads.model_copy(update={"objection": "Individual.HasOptedOutProfiling"})
    crm = salesforce(empty, MAPPING.model_copy(update={"leads": leads}), overlap=60)
    found, cursor = people(crm)
    assert found[lead].attributes[OBJECTS] is False
    org.clock = lambda: LATER
    org.records.update("Individual", individual, {"HasOptedOutProfiling": True}, org.admin)
    assert people(crm, cursor, LATER)[0][lead].attributes[OBJECTS] is True


def test_an_attribute_that_cannot_be_read_is_set_aside_alone(empty: SalesforceServer):
    org = empty.organisation
    leads = MAPPING.leads.model_copy(
        update={"attributes": {**MAPPING.leads.attributes, "size": MAPPING.leads.attributes["company_size"]}}
    )
    lead = org.records.insert("Lead", "", Title="CTO", NumberOfEmployees="about 40")
    pages = list(
        salesforce(empty, MAPPING.model_copy(update={"leads": leads})).pages("people", None, until=NOW)
    )
    [found] = [one for page in pages for one in page.leads]
    assert (found.lead_id, found.attributes["size"], found.attributes["job_title"]) == (lead, None, "CTO")
    assert {one.reason for page in pages for one in page.set_aside} == {
        "size_unreadable",
        "company_size_unreadable",
    }


def test_a_reading_that_stopped_within_one_crowded_instant_goes_on_behind_the_last_record(empty):
    org = empty.organisation
    org.clock = lambda: NOW - timedelta(days=1)
    leads = [org.records.insert("Lead", "") for _ in range(450)]
    crm = salesforce(empty, page=200)
    first = next(iter(crm.pages("people", None, until=NOW)))
    calls = org.used
    rest = [one.lead_id for page in crm.pages("people", first.cursor, until=NOW) for one in page.leads]
    assert len(first.leads) == 200
    assert sorted([one.lead_id for one in first.leads] + rest) == sorted(leads)
    assert org.used - calls == 5  # news of leads and two pages of the others, one of contacts and of accounts


def test_a_first_reading_brings_what_changed_last_first_and_before_it_goes_on_what_changed_meanwhile(empty):
    org, day = empty.organisation, timedelta(days=1)
    leads = []
    for number in range(450):
        org.clock = lambda number=number: NOW - 2 * day + timedelta(seconds=number)
        leads.append(org.records.insert("Lead", ""))
    crm = salesforce(empty, page=200)
    pages = crm.pages("people", None, until=NOW)
    first = next(pages)
    assert {one.lead_id for one in first.leads} == set(leads[250:])
    org.clock = lambda: NOW + timedelta(minutes=1)
    org.records.update("Lead", leads[0], {"LeadSource": "Web"}, org.admin)
    new = org.records.insert("Lead", "")
    cursor = json.loads(json.dumps(first.cursor))
    news, *rest = [
        [one.lead_id for one in page.leads] for page in crm.pages("people", cursor, until=NOW + day)
    ]
    assert news == [leads[0], new]
    assert sorted(rest[0] + rest[1]) == sorted(leads[1:250])


def test_a_reading_that_stopped_among_the_latest_records_looks_at_those_minutes_again(empty):
    org = empty.organisation
    org.clock = lambda: NOW - timedelta(minutes=2)
    for _ in range(300):
        org.records.insert("Lead", "")
    crm = salesforce(empty, page=200)
    first = next(iter(crm.pages("people", None, until=NOW)))
    org.clock = lambda: NOW - timedelta(minutes=5)
    late = org.records.insert("Lead", "")  # its transaction began earlier and ended later
    found, _ = people(crm, first.cursor, LATER)
    assert late in found


def test_a_query_whose_place_is_forgotten_is_asked_anew_from_there(empty: SalesforceServer):
    org = empty.organisation
    for _ in range(450):
        org.records.insert("Lead", "")
    read = []
    for page in salesforce(empty, page=200).pages("people", None, until=NOW):
        org.places.clear()
        read += [one.lead_id for one in page.leads]
    assert len(read) == len(set(read)) == 450


def test_a_field_that_is_hidden_or_not_there_is_named(empty: SalesforceServer):
    empty.organisation.records.objects["Lead"].hidden.add("LeadSource")
    with pytest.raises(CrmFieldMissing, match=r"no field `LeadSource` of `Lead`: create it, give the user"):
        people(salesforce(empty))


def test_a_field_of_an_account_that_is_hidden_is_named(empty: SalesforceServer):
    empty.organisation.records.objects["Account"].hidden.add("Industry")
    with pytest.raises(CrmFieldMissing, match=r"no field `Account.Industry` of `Contact`"):
        people(salesforce(empty))


def test_an_object_that_is_hidden_is_named(empty: SalesforceServer):
    empty.organisation.records.objects["Contact"].visible = False
    with pytest.raises(CrmLacksScope, match="no object `Contact`: give the user read access"):
        people(salesforce(empty))


def test_setup_says_what_is_there_and_names_every_field_that_is_not(empty: SalesforceServer):
    crm = salesforce(empty)
    assert "`Rescore_Score__c` of Lead and Contact: was there" in crm.setup()
    objects = empty.organisation.records.objects
    objects["Contact"].read_only.add("Rescore_Band__c")
    del objects["Lead"].fields["Rescore_Score__c"]
    with pytest.raises(CrmFieldMissing) as caught:
        crm.check()
    assert "`Lead.Rescore_Score__c` (Number(18, 0))" in str(caught.value)
    assert "`Contact.Rescore_Band__c` (Text(255))" in str(caught.value)


def test_every_page_of_an_organisation_counts_one_call(organisation: SalesforceServer):
    org: Organisation = organisation.organisation
    crm = salesforce(organisation)
    people(crm)
    queries = [call for call in org.calls if "queryAll" in call]
    assert org.used == sum(org.calls.values())
    assert len(queries) == 1
    assert org.logins == 1


def test_what_an_organisation_offers_and_what_a_first_load_costs(organisation: SalesforceServer):
    crm = salesforce(organisation)
    offered = {listing.what: listing for listing in crm.describe()}
    leads, accounts = offered["Lead fields"], offered["Account fields"]
    assert {"Title", "Rescore_Score__c"} <= set(leads.used())
    assert set(accounts.used()) == {"Industry", "NumberOfEmployees"}
    kinds = {one.name: (one.holds, one.read_only) for one in leads.offered}
    assert (kinds["NumberOfEmployees"], kinds["SystemModstamp"]) == (("number", False), ("timestamp", True))
    found = {one.stream: (one.rows, one.calls) for one in crm.volumes(since=None)}
    assert found["people"] == (420, {"calls": 2})
    assert set(found) == set(crm.streams)


def test_the_example_fits_what_the_sandbox_offers(organisation: SalesforceServer):
    asked = list(checks(salesforce(organisation), MAPPING, until=NOW, try_writing=True))
    assert [one for one in asked if one.ok is False] == []
    [writing] = [one for one in asked if one.what == "writing"]
    assert "told as `gone`" in writing.says
