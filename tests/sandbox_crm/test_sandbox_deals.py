"""Deals: each about a contact, open until it closes, and tied to others without a trace."""

from collections import Counter

import pytest

from tests.sandbox_crm.client import OBJECTS, Crm

ASKED = ["dealstage", "hs_is_closed", "hs_is_closed_won", "closedate", "amount"]
ASSOCIATIONS = "/crm/associations/2026-09/deals/contacts/batch/read"


def contacts_of(crm: Crm, *ids: str) -> dict[str, list[str]]:
    found = crm.post(ASSOCIATIONS, {"inputs": [{"id": one} for one in ids]}).json()["results"]
    return {row["from"]["id"]: [to["toObjectId"] for to in row["to"]] for row in found}


def test_a_deal_says_the_same_in_its_stage_and_in_its_flags(reading: Crm):
    deals = [deal["properties"] for deal in reading.everything("deals", properties=ASKED)]
    told = Counter((deal["dealstage"], deal["hs_is_closed"], deal["hs_is_closed_won"]) for deal in deals)
    closed = {("closedwon", "true", "true"), ("closedlost", "true", "false")}
    assert closed <= told.keys()
    assert {flags[1:] for flags in told.keys() - closed} == {("false", "false")}
    assert all(float(deal["amount"]) > 0 for deal in deals)


def test_a_deal_closes_after_it_was_made_and_counts_as_modified_then(reading: Crm):
    for deal in reading.everything("deals", properties=ASKED):
        if deal["properties"]["hs_is_closed"] == "true":
            assert deal["createdAt"] < deal["properties"]["closedate"][:19] + ".999Z"
            assert deal["updatedAt"] > deal["createdAt"]


def test_deals_that_were_held_back_close_when_they_are_released(crm: Crm):
    def closed() -> int:
        deals = crm.everything("deals", properties=ASKED)
        return sum(deal["properties"]["hs_is_closed"] == "true" for deal in deals)

    before = closed()
    crm.post("/sandbox/release")
    assert closed() > before


def test_every_kind_of_record_is_listed_by_id_page_by_page(reading: Crm):
    for kind in ("deals", "calls", "companies", "contacts"):
        listed = list(reading.paged(f"{OBJECTS}/{kind}", limit=70, properties=["hs_object_id", "x"]))
        ids = [int(record["id"]) for record in listed]
        assert ids == sorted(ids)
        assert {record["id"] for record in reading.everything(kind)} == {record["id"] for record in listed}
        assert listed[0]["properties"]["x"] is None
    assert reading.get(f"{OBJECTS}/deals", limit=101).status_code == 400


def test_tying_a_deal_to_a_contact_moves_no_date_of_either(crm: Crm):
    deal, contact = crm.everything("deals")[0], crm.everything("contacts")[-1]
    [before] = contacts_of(crm, deal["id"]).values()
    tie = {"kind": "deals", "id": int(deal["id"]), "contact": int(contact["id"])}
    assert crm.post("/sandbox/associate", tie).json() == {"tied": True}
    assert contacts_of(crm, deal["id"]) == {deal["id"]: sorted({*before, contact["id"]})}
    assert crm.everything("deals")[0]["updatedAt"] == deal["updatedAt"]
    assert crm.everything("contacts")[-1]["updatedAt"] == contact["updatedAt"]
    crm.post("/sandbox/associate", tie | {"tied": False})
    assert contacts_of(crm, deal["id"]) == {deal["id"]: before}


@pytest.mark.parametrize("number", [1, 10**12])
def test_what_is_not_there_cannot_be_tied(crm: Crm, number):
    tie = {"kind": "deals", "id": number, "contact": 100001}
    assert crm.post("/sandbox/associate", tie).status_code == 404
