"""Awkward rows: there when asked for, as many as documented, and never a reason to fail."""

from collections import Counter
from datetime import datetime

from tests.sandbox_crm.client import EVENTS, OBJECTS, Crm
from tests.sandbox_crm.conftest import ENDS_AT

UNKNOWN = "999999999"


def values(crm: Crm, name: str) -> list[str | None]:
    return [record["properties"][name] for record in crm.everything("contacts", properties=[name])]


def test_an_ordinary_world_has_none(reading: Crm):
    assert reading.status()["planted"] == {}
    assert None not in values(reading, "jobtitle")


def test_contacts_have_nulls_wrong_types_nul_bytes_and_emoji(awkward: Crm):
    titles = values(awkward, "jobtitle")
    assert titles.count(None) == awkward.status()["planted"]["contact with null attributes"] == 2
    assert sum("\x00" in (title or "") for title in titles) == 1
    assert sum("🚀" in (title or "") for title in titles) == 1
    assert max(len(title or "") for title in titles) > 10_000
    assert "many" in values(awkward, "numemployees")


def test_some_engagements_lie_in_the_future_though_they_were_logged_in_the_past(awkward: Crm):
    ahead = [
        record
        for kind in ("meetings", "calls")
        for record in awkward.everything(kind, properties=["hs_timestamp"])
        if datetime.fromisoformat(record["properties"]["hs_timestamp"]) > ENDS_AT
    ]
    assert len(ahead) == awkward.status()["planted"]["activity in the future"]
    assert all(datetime.fromisoformat(record["updatedAt"]) < ENDS_AT for record in ahead)


def test_some_activities_belong_to_a_contact_nobody_knows(awkward: Crm):
    assert awkward.get(f"{OBJECTS}/contacts/{UNKNOWN}").status_code == 404
    views = sum(view["objectId"] == UNKNOWN for view in awkward.paged(EVENTS, limit=1000))
    opens = sum(event["recipient"] == "nobody@example.org" for event in awkward.emails(limit=1000))
    engaged = 0
    for kind in ("calls", "notes"):
        inputs = [{"id": record["id"]} for record in awkward.everything(kind)]
        for start in range(0, len(inputs), 1000):
            body = {"inputs": inputs[start : start + 1000]}
            rows = awkward.post(f"/crm/associations/2026-09/{kind}/contacts/batch/read", body).json()[
                "results"
            ]
            engaged += sum(row["to"][0]["toObjectId"] == UNKNOWN for row in rows)
    assert views + opens + engaged == awkward.status()["planted"]["activity of an unknown contact"]


def test_rows_that_come_twice_have_the_same_id(awkward: Crm):
    lists = [list(awkward.paged(EVENTS, limit=1000)), list(awkward.emails(limit=1000))]
    lists += [
        [
            {"id": s["conversionId"]}
            for s in awkward.paged(f"/form-integrations/v1/submissions/forms/{guid}", limit=50)
        ]
        for guid in awkward.forms().values()
    ]
    twice = sum(number - 1 for rows in lists for number in Counter(row["id"] for row in rows).values())
    assert twice == awkward.status()["planted"]["duplicate row"]


def test_a_merged_contact_lists_the_ids_it_swallowed_and_they_no_longer_answer(awkward: Crm):
    (merged,) = [ids for ids in values(awkward, "hs_merged_object_ids") if ids]
    for gone in merged.split(";"):
        assert awkward.get(f"{OBJECTS}/contacts/{gone}").status_code == 404


def test_mail_to_a_merged_contacts_former_address_leads_to_the_survivor(awkward: Crm):
    assert any(event["recipient"] == "former.name@example.org" for event in awkward.emails(limit=1000))
    body = {
        "idProperty": "email",
        "inputs": [{"id": "former.name@example.org"}],
        "properties": ["hs_merged_object_ids"],
    }
    (survivor,) = awkward.post(f"{OBJECTS}/contacts/batch/read", body).json()["results"]
    assert survivor["properties"]["hs_merged_object_ids"]


def test_a_contact_with_a_nul_byte_keeps_it_when_something_else_is_written(awkward_world):
    from sandbox_crm.testing import SandboxServer

    with SandboxServer(awkward_world) as server:
        crm = Crm(server)
        records = crm.everything("contacts", properties=["jobtitle"])
        (record,) = [r for r in records if "\x00" in (r["properties"]["jobtitle"] or "")]
        assert crm.update({"id": record["id"], "properties": {"country": "Norway"}}).status_code == 200
        after = crm.get(f"{OBJECTS}/contacts/{record['id']}", properties="jobtitle,country").json()[
            "properties"
        ]
        assert after["jobtitle"] == record["properties"]["jobtitle"]
        assert after["country"] == "Norway"
