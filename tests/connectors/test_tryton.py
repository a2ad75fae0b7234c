"""What is particular about Tryton: two dates, all or nothing, its own history, and its ways of saying no."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.actions import NewTask
from rescore.connectors.base import ScoreUpdate
from rescore.connectors.connection import Connection
from rescore.connectors.tryton import Limits, Tryton
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
    RecordGone,
    RescoreError,
    SettingsIncomplete,
)
from tests.connectors.pretend_server import PretendServer, Reply
from tests.support.tryton.gateway import Gateway, answer_lost, call_lost
from tests.support.tryton.rig import connection_to, tryton_mapping
from tests.support.tryton.server import TrytonServer

pytestmark = pytest.mark.xdist_group("tryton")  # one worker, one server

FAST = Limits(calls=10**6, waits=1)
LEAD = "model.sale.opportunity"


@pytest.fixture
def gateway(tryton: TrytonServer) -> Iterator[Gateway]:
    with Gateway(tryton.url) as gateway:
        yield gateway


@pytest.fixture
def crm(gateway: Gateway) -> Tryton:
    return Tryton(connection_to(gateway.url), tryton_mapping(), FAST)


def read(crm: Tryton, stream: str, cursor=None):
    """(lead records, activities, set aside, cursor) of everything up to now."""
    pages = list(crm.pages(stream, cursor, until=datetime.now(UTC) + timedelta(seconds=5)))
    return (
        {lead.lead_id: lead for page in pages for lead in page.leads},
        {activity.activity_id: activity for page in pages for activity in page.activities},
        [one for page in pages for one in page.set_aside],
        pages[-1].cursor if pages else cursor,
    )


def test_a_lead_whose_party_moved_or_got_another_address_comes_again(crm, tryton):
    *_, cursor = read(crm, "leads")
    sales = tryton.as_user("admin")
    [(party, address)] = tryton.rows(
        "SELECT o.party, a.id FROM sale_opportunity o, party_address a WHERE o.party = a.party AND o.id = 9"
    )
    sales.call("model.party.address.write", [address], {"city": "Lisbon"})
    mechanism = {"party": party, "type": "email", "value": "second@example.com"}
    sales.call("model.party.contact_mechanism.create", [mechanism])
    leads, *_ = read(crm, "leads", cursor)
    assert leads["9"].attributes["city"] == "Lisbon"
    assert leads["9"].addresses == ("person8@example.com", "second@example.com")


def test_what_we_wrote_ourselves_comes_once_and_not_in_every_run(crm):
    later = datetime.now(UTC) + timedelta(seconds=5)
    [*_, page] = crm.pages("leads", None, until=later)
    crm.write([ScoreUpdate("9", {"rescore_score": 1})])
    came = []
    for hours in (1, 2, 3):
        pages = list(crm.pages("leads", page.cursor, until=later + timedelta(hours=hours)))
        came.append([lead.lead_id for page in pages for lead in page.leads])
        page = pages[-1]
    assert came == [["9"], [], []]


def test_a_lead_that_somebody_deleted_is_told_once_an_hour_has_passed(crm, tryton):
    *_, cursor = read(crm, "deleted leads")
    tryton.as_user("sales").call(f"{LEAD}.delete", [5])  # a cancelled one: Tryton deletes no other
    assert read(crm, "deleted leads", cursor)[3] == cursor, "not yet"
    [page] = crm.pages("deleted leads", cursor, until=datetime.now(UTC) + timedelta(hours=2))
    assert [(lead.lead_id, lead.deleted) for lead in page.leads] == [("5", True)]
    assert crm.write([ScoreUpdate("5", {"rescore_score": 1})])[0].kind == "gone"


def test_leads_that_vanish_all_at_once_are_a_right_that_was_lost(crm):
    cursor = {"at": None, "there": [[1, 260], [1000, 1400]]}
    with pytest.raises(CrmUnavailable, match=r"401 of 661 leads cannot be seen"):
        read(crm, "deleted leads", cursor)


def test_a_note_that_changed_is_the_same_activity_and_an_automations_is_set_aside(crm, tryton):
    _, notes, _, cursor = read(crm, "notes")
    task = NewTask("3", "Call: 80", datetime(2026, 12, 1, tzinfo=UTC), None, "d-1", "b2b_saas.mql")
    crm.tasks.create(task)
    tryton.as_user("admin").call("model.ir.note.write", [2], {"resource": "sale.opportunity,7"})
    _, again, aside, _ = read(crm, "notes", cursor)
    assert (notes["notes:2"].lead_id, again["notes:2"].lead_id) == ("3", "7")
    assert [one.reason for one in aside] == ["made_by_rescore"]


def test_what_is_noted_at_a_party_is_an_activity_of_each_of_its_leads(crm, tryton):
    *_, cursor = read(crm, "notes")
    note = {"resource": "party.party,3", "message": "Met at a fair"}  # the party of leads 1 and 2
    [made] = tryton.as_user("admin").call("model.ir.note.create", [note])
    _, found, *_ = read(crm, "notes", cursor)
    new = {
        activity.activity_id: activity.lead_id
        for activity in found.values()
        if str(made) in activity.activity_id
    }
    assert new == {f"notes:{made}": "1", f"notes:{made}:2": "2"}


def test_an_open_of_somebody_without_a_lead_waits_by_the_address(crm, tryton):
    admin = tryton.as_user("admin")
    contact = [["create", [{"type": "email", "value": "early@example.com"}]]]
    [party] = admin.call("model.party.party.create", [{"name": "Early", "contact_mechanisms": contact}])
    admin.call("model.ir.note.create", [{"resource": f"party.party,{party}", "message": "First call"}])
    pages = list(crm.pages("notes", None, until=datetime.now(UTC) + timedelta(seconds=5)))
    assert [one.address for page in pages for one in page.unclaimed] == ["early@example.com"]


def test_one_bad_record_never_blocks_the_good_ones(crm, gateway, tryton):
    updates = [ScoreUpdate(str(number), {"rescore_score": number}) for number in range(1, 41)]
    updates[16] = ScoreUpdate("17", {"conversion_probability": 7})  # beyond what Tryton takes
    results = crm.write(updates)
    assert {result.lead_id: result.kind for result in results if result.kind != "ok"} == {"17": "record"}
    shown = dict(tryton.rows("SELECT id, rescore_score FROM sale_opportunity WHERE id <= 40"))
    assert shown == {number: None if number == 17 else number for number in range(1, 41)}
    assert gateway.methods().count(f"{LEAD}.write") <= 1 + 2 * 6


def test_a_batch_in_which_nothing_is_wrong_is_one_call(crm, gateway):
    crm.write([ScoreUpdate("1", {"rescore_score": 1})])
    before = len(gateway.asked)
    crm.write([ScoreUpdate(str(number), {"rescore_score": number}) for number in range(1, 101)])
    assert len(gateway.asked) == before + 1


def test_half_a_batch_without_an_answer_takes_no_known_result_with_it(crm, gateway):
    updates = [ScoreUpdate(str(number), {"rescore_score": 1}) for number in range(1, 9)]
    updates[0] = ScoreUpdate("1", {"conversion_probability": 7})
    gateway.plays.append(
        (".write", lambda pass_on: (gateway.plays.append((".write", answer_lost)), pass_on())[1])
    )
    kinds = [result.kind for result in crm.write(updates)]
    assert kinds == ["unknown"] * 4 + ["ok"] * 4


def test_a_session_that_ended_is_renewed_without_a_word(crm, tryton):
    crm.write([ScoreUpdate("1", {"rescore_score": 1})])
    tryton.forget_sessions()
    assert crm.write([ScoreUpdate("1", {"rescore_score": 2})])[0].kind == "ok"


def test_edits_name_a_person_by_number_and_the_time_of_each_value(crm, tryton):
    crm.write([ScoreUpdate("4", {"rescore_score": 7})])
    sales = tryton.as_user("sales")
    sales.call(f"{LEAD}.write", [4], {"rescore_score": 99})
    sales.call(f"{LEAD}.write", [4], {"reference": "another field"})
    newest, ours = crm.edits(["4"], ["rescore_score"])["4", "rescore_score"]
    assert (newest.value, newest.by, newest.by_person) == ("99", f"Tryton user {sales.uid}", True)
    assert (ours.value, ours.by_person) == ("7", False)
    assert ours.at < newest.at


def test_a_task_is_a_note_at_the_lead_that_is_found_again_by_its_delivery(crm, gateway, tryton):
    task = NewTask("6", "Call: 80 points", datetime(2026, 12, 1, tzinfo=UTC), "1", "d-42", "b2b_saas.mql")
    gateway.plays.append(("ir.note.create", answer_lost))
    with pytest.raises(CrmUnavailable) as caught:
        crm.tasks.create(task)
    assert caught.value.sent
    [known] = crm.tasks.of_lead("6")
    assert (known.delivery, known.automation, known.open) == ("d-42", "b2b_saas.mql", True)
    [(message,)] = tryton.rows("SELECT message FROM ir_note WHERE id = ?", int(known.task_id))
    assert message == "Call: 80 points\nUntil 2026-12-01\nFor employee 1\n[rescore b2b_saas.mql d-42]"
    assert crm.tasks.owner_of("6") == "1"
    assert not crm.tasks.of_lead("7")
    for ask in (crm.tasks.of_lead, crm.tasks.owner_of):
        with pytest.raises(RecordGone):
            ask("999999")


def test_fields_are_set_as_what_tryton_makes_them_of(crm, tryton):
    values = {
        "reference": "hot",
        "end_date": "2026-12-24",
        "conversion_probability": "0.25",
        "rescore_fit": "3",
    }
    assert crm.fields.write("8", values).kind == "ok"
    assert crm.fields.read("8", values) == values
    assert crm.fields.write("8", {"end_date": "soon"}).kind == "record"
    assert crm.fields.write("8", {"state": "opportunity"}).kind == "record", "it moves by its own steps"
    assert crm.fields.write("999999", {"reference": "hot"}).kind == "gone"
    with pytest.raises(CrmFieldMissing, match="has no field `nonsense`"):
        crm.fields.write("8", {"nonsense": "1"})


def test_fields_that_somebody_changed_since_they_were_read_stay(crm, tryton):
    fields = crm.fields
    assert fields.read("8", ["reference"]) == {"reference": None}
    tryton.as_user("sales").call(f"{LEAD}.write", [8], {"reference": "mine"})
    assert fields.write("8", {"reference": "ours"}).kind == "transient"
    assert fields.read("8", ["reference"]) == {"reference": "mine"}
    assert fields.write("8", {"reference": "ours"}).kind == "ok"


def test_the_mapping_that_the_project_shows_holds_where_its_module_is(crm):
    assert crm.setup()[0] == "field `rescore_score`: was there"


def mapping_with(**changes):
    return tryton_mapping().model_copy(update=changes)


def told(error: pytest.ExceptionInfo[RescoreError]) -> str:
    """One sentence, without what must not be told."""
    said = str(error.value)
    assert "\n" not in said
    assert "password" not in said.replace("user or the password", "").replace("login and password", "")
    return said


@pytest.mark.parametrize("login", ["rescore", "nobody"])
def test_a_wrong_password_and_an_unknown_user_are_told_alike(gateway, login):
    crm = Tryton(connection_to(gateway.url, login, password="wrong"), tryton_mapping(), FAST)
    with pytest.raises(CrmRejectedCredentials) as caught:
        crm.check()
    assert told(caught) == (
        "Tryton refused the user or the password (401): put those of a user of `crm` into login and password "
        "of the Airflow Connection `rescore_tryton`"
    )


def test_a_database_that_is_not_there_or_not_named(gateway):
    crm = Tryton(connection_to(gateway.url, database="crn"), tryton_mapping(), FAST)
    with pytest.raises(SettingsIncomplete, match="there is no Tryton database `crn`"):
        crm.check()
    with pytest.raises(SettingsIncomplete, match="`rescore_tryton` names no database"):
        Tryton(Connection("rescore_tryton", host=gateway.url), tryton_mapping())


def test_a_field_of_the_mapping_that_is_missing_stops_reading_and_writing(gateway):
    crm = Tryton(connection_to(gateway.url), mapping_with(leads=_with_attribute("nonsense")), FAST)
    for ask in (crm.check, lambda: read(crm, "leads")):
        with pytest.raises(CrmFieldMissing) as caught:
            ask()
        assert "has no field `nonsense`" in told(caught)
    with pytest.raises(CrmFieldMissing, match="has no field `rescore_grade`"):
        crm.write([ScoreUpdate("1", {"rescore_grade": "A"})])


def _with_attribute(name: str):
    leads = tryton_mapping().leads
    attribute = leads.attributes["job_title"].model_copy(update={"property": name})
    return leads.model_copy(update={"attributes": {"job_title": attribute}})


def test_leads_are_described_and_what_the_paths_of_the_mapping_lead_through(crm):
    listed = {listing.what: listing for listing in crm.describe()}
    leads, addresses = listed["sale.opportunity fields"], listed["party.address fields"]
    assert {"description", "party", "rescore_score"} <= {field.name for field in leads.offered}
    assert {field.name: field.kind for field in leads.offered}["party"] == "many2one"
    assert "city" in {field.name for field in addresses.offered}
    assert {"city", "country"} <= addresses.used().keys()
    for listing in listed.values():
        assert listing.used().keys() <= {field.name for field in listing.offered}


def test_a_right_that_is_missing_or_was_revoked_is_named(gateway, crm, tryton):
    stranger = Tryton(connection_to(gateway.url, "stranger"), tryton_mapping(), FAST)
    with pytest.raises(CrmLacksScope) as caught:
        read(stranger, "leads")
    assert "may not read `sale.opportunity`" in told(caught)
    reader = Tryton(connection_to(gateway.url, "reader"), tryton_mapping(), FAST)
    assert len(read(reader, "leads")[0]) == 260
    for ask in (reader.check, lambda: reader.write([ScoreUpdate("1", {"rescore_score": 1})])):
        with pytest.raises(CrmLacksScope, match=r"may not write `sale.opportunity`"):
            ask()
    with pytest.raises(CrmLacksScope, match="may not read what `notes` is made of"):
        read(reader, "notes")
    with pytest.raises(CrmLacksScope, match="may not read what `campaigns` is made of"):
        read(reader, "campaigns")


def test_a_failure_inside_tryton_is_no_missing_right_and_a_missing_module_is_named(crm, gateway):
    failure = Reply(200, {"id": 1, "error": ["database is locked: secret", ""]})
    gateway.plays.append(("ir.note.search_read", lambda pass_on: failure))
    with pytest.raises(CrmUnavailable) as caught:
        read(crm, "notes")
    assert told(caught) == "Tryton failed in model.ir.note.search_read; its own log says why"
    unknown = Reply(200, {"id": 1, "error": ["'web.shortened_url.access'", ""]})
    nothing = Reply(200, {"id": 1, "result": []})
    gateway.plays.append(("access.search_read", lambda pass_on: unknown))
    gateway.plays.append(("ir.model.search_read", lambda pass_on: nothing))
    with pytest.raises(CrmFieldMissing, match="Tryton has no `marketing"):
        read(crm, "campaigns")


def test_a_right_that_was_revoked_is_told_by_tasks_fields_and_edits_too(gateway):
    stranger = Tryton(connection_to(gateway.url, "stranger"), tryton_mapping(), FAST)
    for ask in (
        lambda: stranger.tasks.of_lead("1"),
        lambda: stranger.fields.read("1", ["reference"]),
        lambda: stranger.fields.write("1", {"reference": "x"}),
        lambda: stranger.read(["1"], ["rescore_score"]),
        lambda: stranger.edits(["1"], ["rescore_score"]),
        lambda: read(stranger, "deleted leads"),
    ):
        with pytest.raises(CrmLacksScope, match=r"may not (read|write) `sale.opportunity`"):
            ask()


def test_a_field_that_nobody_let_the_user_change_is_no_fault_of_the_leads(crm, tryton):
    admin = tryton.as_user("admin")
    closed = {"perm_read": True, "perm_write": False, "perm_create": False, "perm_delete": False}
    asked = {"model": "sale.opportunity", "field": "rescore_score", **closed}
    [access] = admin.call("model.ir.model.field.access.create", [asked])
    try:
        with pytest.raises(CrmLacksScope, match="may not change `rescore_score`"):
            crm.write([ScoreUpdate(number, {"rescore_score": 1}) for number in ("1", "2", "3")])
    finally:
        admin.call(
            "model.ir.model.field.access.delete", [access]
        )  # what the server remembers outlives a reset


PAGE = b"<html><h1>Sign in to the hotel's network</h1></html>"


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        pytest.param(
            Reply(200, PAGE), CrmUnavailable, "is not Tryton's JSON (200, 52 bytes)", id="html page"
        ),
        pytest.param(
            Reply(302, b"", {"Location": "/x"}), CrmUnavailable, "with a redirect (302)", id="redirect"
        ),
        pytest.param(Reply(502, PAGE), CrmUnavailable, "could not answer common.db.login (502)", id="outage"),
        pytest.param(Reply(403, PAGE), CrmLacksScope, "does not offer common.db.login", id="forbidden"),
        pytest.param(Reply(200, b'{"id":1,"result":[1]}'), CrmUnavailable, "the login is none", id="strange"),
        pytest.param(
            Reply(200, b'{"id":1,"result":[1,"\\ud800"]}'),
            CrmUnavailable,
            "the login is none",
            id="half a sign",
        ),
        pytest.param(
            Reply(200, b'{"result":{"__class__":"Decimal"}}'), CrmUnavailable, "JSON", id="no number"
        ),
        pytest.param(
            Reply(200, {"id": 1, "error": ["LoginException", ["code", "Code for Ada", "char"]]}),
            CrmRejectedCredentials,
            "refused the user or the password",
            id="second factor",
        ),
        pytest.param(
            Reply(200, {"id": 1, "error": ["database is locked", ""]}),
            CrmUnavailable,
            "Tryton failed in common.db.login",
            id="failure",
        ),
        pytest.param(
            Reply(429, b"", {"Retry-After": "77"}), CrmRateLimited, "to come back in 77 seconds", id="limited"
        ),
        pytest.param(Reply(429, b""), CrmRateLimited, "come back in 60 seconds", id="limited, no wait"),
    ],
)
def test_what_is_no_answer_of_trytons_becomes_one_sentence(reply, error, says):
    with PretendServer(lambda asked: reply) as server:
        crm = Tryton(connection_to(server.url), tryton_mapping(), FAST)
        with pytest.raises(error) as caught:
            crm.check()
    assert says in told(caught)


def test_a_short_limit_is_waited_for(gateway):
    waits: list[float] = []
    crm = Tryton(connection_to(gateway.url), tryton_mapping(), FAST, sleep=waits.append)
    gateway.plays.append((".write", lambda pass_on: Reply(429, b"", {"Retry-After": "2"})))
    assert crm.write([ScoreUpdate("1", {"rescore_score": 1})])[0].kind == "ok"
    assert waits == [2.0]


def test_a_call_that_never_arrived_had_perhaps_its_effect(crm, gateway):
    gateway.plays.append((".write", call_lost))
    with pytest.raises(CrmUnavailable) as caught:
        crm.write([ScoreUpdate("1", {"rescore_score": 1})])
    assert caught.value.sent
