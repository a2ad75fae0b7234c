"""The world: seeded, invented, dated from its end, and silent about its last days."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sandbox_crm.shapes import DAY_MS, Slot
from sandbox_crm.store import Store, milliseconds
from sandbox_crm.world import World, build_world
from tests.sandbox_crm.client import EVENTS, OBJECTS, SUBMISSIONS, Crm
from tests.sandbox_crm.conftest import ENDS_AT

HOUR = 3_600_000
KNOWN_UNTIL = ENDS_AT - timedelta(days=3)


def test_the_same_seed_gives_the_same_world(world):
    assert build_world(ends_at=ENDS_AT, leads=200).script == world.script


def test_another_seed_gives_another_world(world):
    assert build_world(ends_at=ENDS_AT, leads=200, seed=7).script != world.script


def test_a_world_from_the_cache_is_the_one_that_was_put_there(world, tmp_path):
    lines: list[str] = []
    first = build_world(ends_at=ENDS_AT, leads=200, cache=tmp_path, progress=lines.append)
    said = len(lines)
    second = build_world(ends_at=ENDS_AT, leads=200, cache=tmp_path, progress=lines.append)
    assert said > 0
    assert len(lines) == said, "a second start simulates nothing"
    assert first.script == second.script == world.script


def test_each_lead_is_one_contact_with_an_address_of_its_own(world):
    contacts = world.script.contacts
    assert len(contacts) == 200
    assert len({contact.properties["email"] for contact in contacts}) == 200


def test_every_address_is_at_an_example_domain(world):
    domains = {(contact.properties["email"] or "").split("@")[1] for contact in world.script.contacts}
    assert all(
        domain.endswith((".example", "example.com", "example.org", "example.net")) for domain in domains
    )


def test_every_way_of_being_active_occurs(reading):
    rows = reading.status()["rows"]
    assert all(rows[kind]["visible"] > 0 for kind in rows), rows


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        pytest.param(Slot(0, 9 * HOUR), datetime(2026, 11, 20, 9, tzinfo=UTC), id="earlier that day"),
        pytest.param(
            Slot(0, 18 * HOUR), datetime(2026, 11, 19, 18, tzinfo=UTC), id="within the last 24 hours"
        ),
        pytest.param(Slot(3, 9 * HOUR), datetime(2026, 11, 17, 9, tzinfo=UTC), id="days before"),
        pytest.param(
            Slot(0, 15 * HOUR, 60_000), datetime(2026, 11, 20, 15, 1, tzinfo=UTC), id="a minute later"
        ),
        pytest.param(Slot(0, 15 * HOUR, 2 * HOUR), ENDS_AT, id="never after the end"),
        pytest.param(Slot(-2, 9 * HOUR), datetime(2026, 11, 22, 9, tzinfo=UTC), id="in the future"),
    ],
)
def test_a_slot_becomes_a_moment_once_the_end_is_known(slot, expected):
    assert slot.at(milliseconds(ENDS_AT)) == milliseconds(expected)


def test_the_world_can_end_on_any_day(world):
    later = Store(World(world.script, ENDS_AT + timedelta(days=50), world.held_back))
    newest = "SELECT max(occurred) FROM page_views"
    assert later.rows(newest)[0][0] - Store(world).rows(newest)[0][0] == 50 * DAY_MS


def test_nothing_is_known_of_the_days_held_back(reading: Crm):
    limit = KNOWN_UNTIL.isoformat()
    assert reading.get(EVENTS, occurredAfter=limit).json()["results"] == []
    assert (
        reading.get("/email/public/v1/events", startTimestamp=milliseconds(KNOWN_UNTIL) + 1).json()["events"]
        == []
    )
    for kind in ("contacts", "calls", "meetings"):
        newest = reading.everything(kind)[-1]
        assert max(newest["updatedAt"], newest["createdAt"]) <= limit


def test_a_contact_held_back_is_unknown_and_so_is_all_it_did(world, reading: Crm):
    shown = {record["id"] for record in reading.everything("contacts")}
    held = {str(contact.id) for contact in world.script.contacts} - shown
    assert held
    one = min(held)
    assert reading.get(f"{OBJECTS}/contacts/{one}").status_code == 404
    assert {view["objectId"] for view in reading.paged(EVENTS, limit=1000)} <= shown
    addresses = {record["properties"]["email"] for record in reading.everything("contacts")}
    assert {event["recipient"] for event in reading.emails(limit=1000)} <= addresses


def test_released_facts_happened_in_the_days_held_back_and_are_created_now(crm: Crm):
    before = milliseconds(datetime.now(UTC))
    known = {record["id"] for record in crm.everything("calls")}
    crm.post("/sandbox/release")
    fresh = [
        record for record in crm.everything("calls", properties=["hs_timestamp"]) if record["id"] not in known
    ]
    assert fresh
    for record in fresh:
        assert KNOWN_UNTIL <= datetime.fromisoformat(record["properties"]["hs_timestamp"]) <= ENDS_AT
        assert milliseconds(datetime.fromisoformat(record["createdAt"])) >= before
        assert record["createdAt"] == record["updatedAt"]


def test_a_release_moves_the_modified_date_of_exactly_the_contacts_it_touches(crm: Crm):
    before = {record["id"]: record["updatedAt"] for record in crm.everything("contacts")}
    start = datetime.now(UTC)
    crm.post("/sandbox/release")
    moved = {r["id"] for r in crm.everything("contacts") if datetime.fromisoformat(r["updatedAt"]) >= start}
    active = {v["objectId"] for v in crm.paged(EVENTS, limit=1000, occurredAfter=KNOWN_UNTIL.isoformat())}
    assert active <= moved
    assert moved > {record["id"] for record in crm.everything("contacts")} - set(before), (
        "those who appear are among them"
    )
    assert len(moved) < len(before)


def test_the_held_back_days_can_be_released_one_by_one(crm: Crm):
    held = crm.status()["rows"]["page_views"]["held_back"]
    appeared = [crm.post("/sandbox/release?days=1").json()["appeared"]["page_views"] for _ in range(4)]
    assert sum(appeared) == held
    assert appeared[0] < held
    assert appeared[3] == 0
    assert crm.status()["rows"]["page_views"]["held_back"] == 0


def test_a_second_release_changes_nothing(crm: Crm):
    crm.post("/sandbox/release")
    before = crm.everything("contacts")
    assert set(crm.post("/sandbox/release").json()["appeared"].values()) == {0}
    assert crm.everything("contacts") == before


def test_a_contact_is_created_before_the_first_thing_it_did(crm: Crm):
    crm.post("/sandbox/release")
    created = {record["id"]: record["createdAt"] for record in crm.everything("contacts")}
    assert all(created[view["objectId"]] < view["occurredAt"] for view in crm.paged(EVENTS, limit=1000))


def test_the_stage_moves_forward_with_the_release(crm: Crm):
    def stages() -> Counter[str]:
        records = crm.everything("contacts", properties=["lifecyclestage"])
        return Counter(record["properties"]["lifecyclestage"] for record in records)

    before = stages()
    crm.post("/sandbox/release")
    assert stages()["customer"] + stages()["other"] >= before["customer"] + before["other"]
    assert set(before) <= {"lead", "marketingqualifiedlead", "opportunity", "customer", "other"}


def test_pages_of_one_visit_follow_each_other(reading: Crm):
    views = list(reading.paged(EVENTS, limit=1000, sort="occurredAt"))
    assert all(first["occurredAt"] <= then["occurredAt"] for first, then in pairwise(views))
    assert any("/pricing" in view["properties"]["hs_url"] for view in views)
    assert any("utm_source" in view["properties"]["hs_url"] for view in views)


def test_forms_are_filled_in_by_known_contacts(reading: Crm):
    addresses = {record["properties"]["email"] for record in reading.everything("contacts")}
    for guid in reading.forms().values():
        for submission in reading.paged(f"{SUBMISSIONS}/{guid}", limit=50):
            values = {pair["name"]: pair["value"] for pair in submission["values"]}
            assert values["email"] in addresses
